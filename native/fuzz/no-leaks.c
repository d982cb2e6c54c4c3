/* Leaks are not looked for where refusing means to end: nothing is freed then, and inside a chroot there is no /proc to look with. (A limit of
 * resident memory would start a thread, and the launcher may have none: setns(2).) */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0:max_allocation_size_mb=256"; }
