/* Leaks are not looked for where refusing means to end: nothing is freed then, and inside a chroot there is no /proc to look with. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0:allocator_may_return_null=1:hard_rss_limit_mb=512"; }
