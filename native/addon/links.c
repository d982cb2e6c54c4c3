/* Which links a network namespace has, with their addresses: what `ip -j addr` would tell, without a process. */
#include "addon.h"
#include "netlink.h"

struct survey {
  char *netns;
  struct link_state *links;
  struct link_address *addresses;
  size_t link_count, address_count;
};

/* One more element at the end of an array; NULL without memory. */
static void *grow(void **array, size_t *count, size_t size) {
  void *larger = reallocarray(*array, *count + 1, size);
  if (larger == NULL) return NULL;
  *array = larger;
  return (char *)larger + (*count)++ * size;
}

static bool take_link(const struct nlmsghdr *header, void *data) {
  struct survey *survey = data;
  struct link_state link;
  if (!netlink_read_link(header, &link)) return true;
  struct link_state *kept = grow((void **)&survey->links, &survey->link_count, sizeof *kept);
  if (kept != NULL) *kept = link;
  return kept != NULL;
}

static bool take_address(const struct nlmsghdr *header, void *data) {
  struct survey *survey = data;
  struct link_address address;
  if (!netlink_read_address(header, &address)) return true;
  struct link_address *kept = grow((void **)&survey->addresses, &survey->address_count, sizeof *kept);
  if (kept != NULL) *kept = address;
  return kept != NULL;
}

static void *survey_thread(void *data) {
  struct job *job = data;
  struct survey *survey = job->data;
  struct netlink netlink;
  if (!job_enter(job, survey->netns)) return NULL;
  if (!netlink_open(&netlink)) {
    job_fail(job, errno, "socket", "rtnetlink");
    return NULL;
  }
  struct netlink_message message;
  netlink_begin(&message, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
  netlink_put_u32(&message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  if (!netlink_dump(&netlink, &message, take_link, survey)) job_fail(job, errno, "list links", survey->netns);
  netlink_begin(&message, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
  if (job->error == 0 && !netlink_dump(&netlink, &message, take_address, survey))
    job_fail(job, errno, "list addresses", survey->netns);
  netlink_close(&netlink);
  return NULL;
}

static const char *name_of(const struct survey *survey, int index) {
  for (size_t i = 0; i < survey->link_count; i++)
    if (survey->links[i].index == index) return survey->links[i].name;
  return "";
}

static napi_value survey_result(napi_env env, void *data) {
  const struct survey *survey = data;
  napi_value list = NULL;
  napi_create_array_with_length(env, survey->link_count, &list);
  for (size_t i = 0; i < survey->link_count; i++) {
    const struct link_state *link = &survey->links[i];
    napi_value entry, addresses;
    uint32_t count = 0;
    napi_create_object(env, &entry);
    napi_create_array(env, &addresses);
    for (size_t k = 0; k < survey->address_count; k++)
      if (survey->addresses[k].index == link->index)
        napi_set_element(env, addresses, count++, from_string(env, survey->addresses[k].text));
    napi_set_named_property(env, entry, "name", from_string(env, link->name));
    napi_set_named_property(env, entry, "isUp", from_bool(env, (link->flags & IFF_UP) != 0));
    napi_set_named_property(env, entry, "master", from_string(env, link->master == 0 ? "" : name_of(survey, link->master)));
    napi_set_named_property(env, entry, "addresses", addresses);
    napi_set_element(env, list, (uint32_t)i, entry);
  }
  return list;
}

static void survey_free(void *data) {
  struct survey *survey = data;
  free(survey->netns);
  free(survey->links);
  free(survey->addresses);
  free(survey);
}

/* readLinks(netns) → promise of [{name, isUp, master, addresses}]; netns "" is the process's own */
static napi_value js_read_links(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 1, args)) return NULL;
  struct job *job = new_job(env, sizeof(struct survey), survey_free);
  if (job == NULL) return NULL;
  ((struct survey *)job->data)->netns = get_string(env, args[0]);
  job->thread = survey_thread;
  job->make_result = survey_result;
  return queue_job(env, "readLinks", job);
}

void init_links(napi_env env, napi_value exports) { define(env, exports, "readLinks", js_read_links); }
