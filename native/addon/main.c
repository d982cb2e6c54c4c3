/* The module: what each part adds to it. */
#include "addon.h"

NAPI_MODULE_INIT() {
  init_mount(env, exports);
  init_overlay(env, exports);
  init_netns(env, exports);
  init_bridge(env, exports);
  init_links(env, exports);
  init_lock(env, exports);
  init_process(env, exports);
  init_packet(env, exports);
  init_rootfs(env, exports);
  init_remove(env, exports);
  init_nodev(env, exports);
  init_relabel(env, exports);
  init_run(env, exports);
  return exports;
}
