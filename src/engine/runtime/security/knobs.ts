/** Settings of the kernel that decide how much a program that left its container, or another user, could do. Pure. */

/** A setting of the kernel that makes containers safer. */
export interface Knob {
  /** Name of sysctl(8). */
  readonly name: string;
  readonly good: (value: number) => boolean;
  readonly why: string;
  /** What to set it to; undefined for one that is only shown. */
  readonly want?: string;
}

const shown = (name: string, why: string): Knob => ({ name, good: () => true, why });

/** Settings that `security` looks at, in the order of its report. */
export const KNOBS: readonly Knob[] = [
  { name: "kernel.kptr_restrict", good: (v) => v >= 1, why: "hides kernel addresses", want: "1" },
  { name: "kernel.dmesg_restrict", good: (v) => v >= 1, why: "hides the kernel's log", want: "1" },
  { name: "kernel.unprivileged_bpf_disabled", good: (v) => v >= 1, why: "keeps users from loading BPF", want: "2" },
  { name: "kernel.perf_event_paranoid", good: (v) => v >= 2, why: "keeps users from kernel profiling", want: "3" },
  { name: "kernel.yama.ptrace_scope", good: (v) => v >= 1, why: "keeps a user's processes from each other", want: "1" },
  { name: "kernel.randomize_va_space", good: (v) => v >= 2, why: "randomises addresses", want: "2" },
  { name: "vm.unprivileged_userfaultfd", good: (v) => v === 0, why: "keeps users from stalling the kernel", want: "0" },
  { name: "fs.protected_symlinks", good: (v) => v >= 1, why: "guards links in shared folders", want: "1" },
  { name: "fs.protected_hardlinks", good: (v) => v >= 1, why: "guards hard links to others' files", want: "1" },
  {
    name: "net.ipv4.conf.all.route_localnet",
    good: (v) => v === 0,
    why: "keeps neighbours on the wire from 127.0.0.1",
    want: "0",
  },
  shown("net.ipv4.ip_forward", "routing between interfaces; networks need it"),
  shown("net.ipv4.ip_unprivileged_port_start", "lowest port that a user may publish"),
  shown("kernel.unprivileged_userns_clone", "user namespaces for ordinary users (Debian's switch)"),
  shown("kernel.apparmor_restrict_unprivileged_userns", "AppArmor's guard of user namespaces (Ubuntu)"),
  shown("user.max_user_namespaces", "user namespaces there may be"),
];
