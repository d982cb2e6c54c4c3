/** State transitions of rows of the containers table. */
import type { State } from "./index.js";

/** Notes that a start begins: the next incarnation, in this boot. The number given to it. */
export function beginStart(state: State, id: string, bootId: string): number {
  state.run("UPDATE containers SET incarnation = incarnation + 1, boot_id = ?, error = '' WHERE id = ?", bootId, id);
  return state.get<{ incarnation: number }>("SELECT incarnation FROM containers WHERE id = ?", id)?.incarnation ?? 0;
}

/** The container runs. */
export function markRunning(
  state: State,
  id: string,
  process: {
    readonly pid: number;
    readonly pidStart: string;
    readonly conmonPid: number;
    readonly conmonStart: string;
    readonly startedAt: string;
    readonly restartCount: number;
  },
): void {
  state.run(
    `UPDATE containers SET state = 'running', pid = ?, pid_start = ?, conmon_pid = ?, conmon_start = ?, started_at = ?,
     finished_at = '', exit_code = 0, oom_killed = 0, error = '', stopped_by_user = 0, restart_count = ?, health = '{}'
     WHERE id = ?`,
    process.pid,
    process.pidStart,
    process.conmonPid,
    process.conmonStart,
    process.startedAt,
    process.restartCount,
    id,
  );
}

/** Running or paused → exited, for one incarnation; false when somebody else has settled it already. */
export function markExited(
  state: State,
  id: string,
  incarnation: number,
  exit: { readonly exitCode: number; readonly oomKilled: boolean; readonly finishedAt: string; readonly error: string },
): boolean {
  return (
    state.run(
      `UPDATE containers SET state = 'exited', pid = 0, pid_start = '', conmon_pid = 0, conmon_start = '',
       exit_code = ?, oom_killed = ?, finished_at = ?, error = ?
       WHERE id = ? AND incarnation = ? AND state IN ('running', 'paused')`,
      exit.exitCode,
      exit.oomKilled ? 1 : 0,
      exit.finishedAt,
      exit.error,
      id,
      incarnation,
    ) === 1
  );
}

/** A start that failed leaves this exit code and reason; the state stays what it was (created or exited). */
export function markStartFailed(state: State, id: string, exitCode: number, error: string): void {
  state.run("UPDATE containers SET exit_code = ?, error = ?, pid = 0 WHERE id = ?", exitCode, error, id);
}

/** running ⇄ paused; false when it was in neither `from` state. */
export function movePaused(state: State, id: string, from: "running" | "paused", to: "running" | "paused"): boolean {
  return state.run("UPDATE containers SET state = ? WHERE id = ? AND state = ?", to, id, from) === 1;
}

/** Notes a deliberate stop (no restart policy brings it back) or takes the note away. */
export function setStoppedByUser(state: State, id: string, stopped: boolean): void {
  state.run("UPDATE containers SET stopped_by_user = ? WHERE id = ?", stopped ? 1 : 0, id);
}

/** The container is being removed; nothing starts it any more. */
export function markRemoving(state: State, id: string): void {
  state.run("UPDATE containers SET state = 'removing' WHERE id = ?", id);
}
