/* joinBridge and removeLink: reading their arguments, making their results. */
#include <stdio.h>

#include "bridge.h"

static void free_texts(struct texts *texts) {
  for (uint32_t i = 0; i < texts->count; i++) free(texts->items[i]);
}

static void join_free(void *data) {
  struct join *join = data;
  free_texts(&join->gateways);
  free_texts(&join->addresses);
  free_texts(&join->routes);
  free(join->site);
  free(join->bridge);
  free(join->netns);
  free(join->name);
  free(join->mac);
  free(join);
}

static void set_mac(napi_env env, napi_value object, const char *name, const struct link_state *link) {
  char text[18];
  const uint8_t *m = link->mac;
  snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
  napi_set_named_property(env, object, name, from_string(env, text));
}

static napi_value join_result(napi_env env, void *data) {
  struct join *join = data;
  napi_value result = NULL;
  napi_create_object(env, &result);
  set_mac(env, result, "bridgeMac", &join->on_bridge);
  set_mac(env, result, "hostMac", &join->at_host);
  set_mac(env, result, "mac", &join->inside);
  napi_set_named_property(env, result, "hostName", from_string(env, join->at_host.name));
  return result;
}

/* Reads an array of strings; a pending exception when it is none or too long. */
static void get_texts(napi_env env, napi_value object, const char *name, struct texts *texts) {
  napi_value array, item;
  uint32_t length = 0;
  if (napi_get_named_property(env, object, name, &array) != napi_ok || napi_get_array_length(env, array, &length) != napi_ok) {
    napi_throw_type_error(env, NULL, "array expected");
    return;
  }
  if (length > MAX_TEXTS) {
    throw_errno(env, E2BIG, "join bridge", NULL, name);
    return;
  }
  for (uint32_t i = 0; i < length; i++) {
    napi_get_element(env, array, i, &item);
    char *text = get_string(env, item);
    if (text == NULL) return;
    texts->items[texts->count++] = text;
  }
}

/* joinBridge({site, bridge, gateways, netns, name, mac, mtu, addresses, routes, hairpin, isolated}) → promise of {bridgeMac, hostName, hostMac, mac} */
static napi_value js_join(napi_env env, napi_callback_info info) {
  napi_value args[MAX_ARGS], value;
  if (!get_args(env, info, 1, args)) return NULL;
  struct job *job = new_job(env, sizeof(struct join), join_free);
  if (job == NULL) return NULL;
  struct join *join = job->data;
  join->site = get_property_string(env, args[0], "site");
  join->bridge = get_property_string(env, args[0], "bridge");
  join->netns = get_property_string(env, args[0], "netns");
  join->name = get_property_string(env, args[0], "name");
  join->mac = get_property_string(env, args[0], "mac");
  bool whole = join->site != NULL && join->bridge != NULL && join->netns != NULL && join->name != NULL && join->mac != NULL;
  if (whole) {
    get_texts(env, args[0], "gateways", &join->gateways);
    if (!is_pending(env)) get_texts(env, args[0], "addresses", &join->addresses);
    if (!is_pending(env)) get_texts(env, args[0], "routes", &join->routes);
    if (!is_pending(env) && napi_get_named_property(env, args[0], "mtu", &value) == napi_ok) get_int(env, value, &join->mtu);
    if (!is_pending(env) && napi_get_named_property(env, args[0], "hairpin", &value) == napi_ok)
      join->hairpin = get_bool(env, value);
    if (!is_pending(env) && napi_get_named_property(env, args[0], "isolated", &value) == napi_ok)
      join->isolated = get_bool(env, value);
  } else if (!is_pending(env)) {
    napi_throw_type_error(env, NULL, "string expected");
  }
  job->thread = bridge_join;
  job->make_result = join_result;
  return queue_job(env, "joinBridge", job);
}

static void port_free(void *data) {
  struct port *port = data;
  free(port->netns);
  free(port->name);
  free(port);
}

/* A call (netns, name) → promise; netns "" is the process's own */
static napi_value call_port(napi_env env, napi_callback_info info, const char *name, void *(*thread)(void *job)) {
  napi_value args[MAX_ARGS];
  if (!get_args(env, info, 2, args)) return NULL;
  struct job *job = new_job(env, sizeof(struct port), port_free);
  if (job == NULL) return NULL;
  struct port *port = job->data;
  port->netns = get_string(env, args[0]);
  if (port->netns != NULL) port->name = get_string(env, args[1]);
  job->thread = thread;
  return queue_job(env, name, job);
}

static napi_value js_remove_link(napi_env env, napi_callback_info info) {
  return call_port(env, info, "removeLink", bridge_leave);
}

static napi_value js_isolate_port(napi_env env, napi_callback_info info) {
  return call_port(env, info, "isolatePort", bridge_isolate);
}

void init_bridge(napi_env env, napi_value exports) {
  define(env, exports, "joinBridge", js_join);
  define(env, exports, "removeLink", js_remove_link);
  define(env, exports, "isolatePort", js_isolate_port);
}
