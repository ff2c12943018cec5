// How far an execution has come.

/** Steps that are over: those that are completed, and those that will not be, because they are disabled. */
export function doneOf({ completed, disabled }: { completed: number; disabled: number }): number {
  return completed + disabled;
}
