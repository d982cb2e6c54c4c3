/**
 * The seccomp profile used when neither a profile is named nor the machine has one. An allow-list: system calls that
 * act on the process's own resources are allowed, those that reach the kernel's or other tenants' state need the
 * capability that guards them, unknown ones look unimplemented (ENOSYS), so that libc falls back.
 */
import type { SeccompProfile } from "./seccomp.js";

const words = (text: string): string[] => text.trim().split(/\s+/);

const FILES = words(`
  access faccessat faccessat2 chdir fchdir chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 fchownat lchown
  lchown32 close close_range copy_file_range creat dup dup2 dup3 fadvise64 fadvise64_64 fallocate fcntl fcntl64 fdatasync
  fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64
  futimesat getcwd getdents getdents64 getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
  ioctl lgetxattr link linkat listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64 mkdir
  mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2
  read readahead readlink readlinkat readv removexattr removexattrat rename renameat renameat2 rmdir sendfile sendfile64
  setxattr setxattrat splice stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range
  sync_file_range2 syncfs tee truncate truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes vmsplice
  write writev fanotify_mark memfd_create memfd_secret landlock_add_rule landlock_create_ruleset landlock_restrict_self
  cachestat`);
const MEMORY = words(`
  brk madvise process_madvise mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap msync munlock munlockall
  munmap pkey_alloc pkey_free pkey_mprotect membarrier remap_file_pages map_shadow_stack mseal process_mrelease`);
const PROCESSES = words(`
  arch_prctl capget capset execve execveat exit exit_group fork getcpu getegid getegid32 geteuid geteuid32 getgid getgid32
  getgroups getgroups32 getitimer getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid
  getresuid32 getrlimit get_robust_list getrusage getsid get_thread_area gettid getuid getuid32 ioprio_get ioprio_set
  kill nanosleep pause pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall rseq rt_sigaction rt_sigpending
  rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo
  sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler
  sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler
  sched_yield seccomp setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid
  setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit
  set_robust_list setsid set_thread_area set_tid_address setuid setuid32 sigaltstack signalfd signalfd4 sigprocmask
  sigreturn tgkill tkill ugetrlimit uname vfork wait4 waitid waitpid sysinfo times`);
const TIME = words(`
  adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
  clock_nanosleep clock_nanosleep_time64 gettimeofday time timer_create timer_delete timer_getoverrun timer_gettime
  timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
  timerfd_settime64`);
const WAITING = words(`
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2
  futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake io_cancel io_destroy io_getevents io_pgetevents
  io_pgetevents_time64 io_setup io_submit poll ppoll ppoll_time64 pselect6 pselect6_time64 select _newselect`);
const SOCKETS = words(`
  accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg
  send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair pipe pipe2`);
const IPC = words(`
  ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink
  msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget`);

/** Known, dangerous and guarded: EPERM without the capability, not ENOSYS, because programs test for it. */
const GUARDED: readonly (readonly [capability: string, names: readonly string[]])[] = [
  [
    "CAP_SYS_ADMIN",
    words(`bpf fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr
      mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns
      syslog umount umount2 unshare pivot_root`),
  ],
  ["CAP_DAC_READ_SEARCH", ["open_by_handle_at"]],
  ["CAP_SYS_BOOT", ["reboot", "kexec_load", "kexec_file_load"]],
  ["CAP_SYS_CHROOT", ["chroot"]],
  ["CAP_SYS_MODULE", ["delete_module", "init_module", "finit_module"]],
  ["CAP_SYS_PACCT", ["acct"]],
  ["CAP_SYS_PTRACE", ["kcmp", "pidfd_getfd", "process_vm_readv", "process_vm_writev", "ptrace"]],
  ["CAP_SYS_RAWIO", ["iopl", "ioperm"]],
  ["CAP_SYS_TIME", ["settimeofday", "stime", "clock_settime", "clock_settime64"]],
  ["CAP_SYS_TTY_CONFIG", ["vhangup"]],
  [
    "CAP_SYS_NICE",
    ["get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node", "migrate_pages", "move_pages"],
  ],
  ["CAP_SYSLOG", ["syslog"]],
  ["CAP_BPF", ["bpf"]],
  ["CAP_PERFMON", ["perf_event_open"]],
];

const EPERM_ALWAYS = words(`
  add_key keyctl request_key io_uring_setup io_uring_enter io_uring_register nfsservctl swapoff swapon userfaultfd vm86
  vm86old uselib ustat sysfs _sysctl get_kernel_syms query_module create_module`);

const ALLOW = "SCMP_ACT_ALLOW";
const ERRNO = "SCMP_ACT_ERRNO";
const EPERM = 1;
const ENOSYS = 38;
/** CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}: making namespaces is for those who may anyway. */
const CLONE_NEW_ANY = 0x7e020000;
const AF_VSOCK = 40;

/** The built-in profile. */
export const DEFAULT_SECCOMP: SeccompProfile = {
  defaultAction: ERRNO,
  defaultErrnoRet: ENOSYS,
  archMap: [
    { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
    { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
    { architecture: "SCMP_ARCH_S390X", subArchitectures: ["SCMP_ARCH_S390"] },
    { architecture: "SCMP_ARCH_RISCV64" },
  ],
  syscalls: [
    { names: [...FILES, ...MEMORY, ...PROCESSES, ...TIME, ...WAITING, ...SOCKETS, ...IPC], action: ALLOW },
    { names: ["modify_ldt"], action: ALLOW, includes: { arches: ["amd64", "386"] } },
    {
      names: ["arm_fadvise64_64", "arm_sync_file_range", "breakpoint", "cacheflush", "set_tls"],
      action: ALLOW,
      includes: { arches: ["arm", "arm64"] },
    },
    { names: ["riscv_flush_icache", "riscv_hwprobe"], action: ALLOW, includes: { arches: ["riscv64"] } },
    {
      names: ["s390_pci_mmio_read", "s390_pci_mmio_write", "s390_runtime_instr"],
      action: ALLOW,
      includes: { arches: ["s390x"] },
    },
    // Reading who runs where and tracing one's own children is harmless since Linux 4.8 (ptrace checks after seccomp).
    {
      names: ["ptrace", "process_vm_readv", "process_vm_writev", "kcmp"],
      action: ALLOW,
      includes: { minKernel: "4.8" },
      excludes: { caps: ["CAP_SYS_PTRACE"] },
    },
    ...[0x0, 0x8, 0x20000, 0x20008, 0xffffffff].map((value) => ({
      names: ["personality"],
      action: ALLOW,
      args: [{ index: 0, value, op: "SCMP_CMP_EQ" }],
    })),
    { names: ["socket"], action: ALLOW, args: [{ index: 0, value: AF_VSOCK, op: "SCMP_CMP_NE" }] },
    {
      names: ["clone"],
      action: ALLOW,
      args: [{ index: 0, value: CLONE_NEW_ANY, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
      excludes: { caps: ["CAP_SYS_ADMIN"], arches: ["s390x"] },
    },
    {
      names: ["clone"],
      action: ALLOW,
      args: [{ index: 1, value: CLONE_NEW_ANY, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
      includes: { arches: ["s390x"] },
      excludes: { caps: ["CAP_SYS_ADMIN"] },
    },
    { names: ["clone", "clone3"], action: ALLOW, includes: { caps: ["CAP_SYS_ADMIN"] } },
    // Its flags lie behind a pointer that a filter cannot read; libc falls back to clone on ENOSYS only.
    { names: ["clone3"], action: ERRNO, errnoRet: ENOSYS, excludes: { caps: ["CAP_SYS_ADMIN"] } },
    ...GUARDED.map(([capability, names]) => ({ names, action: ALLOW, includes: { caps: [capability] } })),
    ...refusals(),
    { names: EPERM_ALWAYS, action: ERRNO, errnoRet: EPERM },
  ],
};

/** EPERM for each guarded call unless one of its capabilities is held. */
function refusals(): SeccompProfile["syscalls"] {
  const guards = new Map<string, string[]>();
  for (const [capability, names] of GUARDED) {
    for (const name of names) guards.set(name, [...(guards.get(name) ?? []), capability]);
  }
  const allowedAnyway = new Set(["ptrace", "process_vm_readv", "process_vm_writev", "kcmp"]);
  return [...guards]
    .filter(([name]) => !allowedAnyway.has(name))
    .map(([name, caps]) => ({ names: [name], action: ERRNO, errnoRet: EPERM, excludes: { caps } }));
}
