// Types of the context and the step outputs of verify 1.0.0, printed by stepgraph types.

export interface Context {
  /**
   * Who is to be verified.
   */
  customerId?: string;
  [k: string]: unknown;
}

export interface StepOutputs {
  start: {
    [k: string]: unknown;
  };
  verify: VerifyOutput;
  end: {
    [k: string]: unknown;
  };
}
export interface VerifyOutput {
  verified: boolean;
  [k: string]: unknown;
}
