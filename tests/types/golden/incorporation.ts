// Types of the context and the step outputs of incorporation 1.0.0, printed by stepgraph types.

export interface Context {
  company: ContextCompany;
  directors: ContextDirectorsItem[];
  [k: string]: unknown;
}
export interface ContextCompany {
  name: string;
  type: "private_limited" | "llp";
  [k: string]: unknown;
}
export interface ContextDirectorsItem {
  id: string;
  name?: string;
  hasDsc?: boolean;
  [k: string]: unknown;
}

export interface StepOutputs {
  start: {
    [k: string]: unknown;
  };
  intake: IntakeOutput;
  prepare: {
    [k: string]: unknown;
  };
  "name-check": NameCheckOutput;
  "dsc-step": DscStepOutput;
  "llp-agreement": {
    [k: string]: unknown;
  };
  ready: {
    [k: string]: unknown;
  };
  file: FileOutput;
  "issues-found": {
    [k: string]: unknown;
  };
  "fix-issues": {
    [k: string]: unknown;
  };
  end: {
    [k: string]: unknown;
  };
}
export interface IntakeOutput {
  complete: boolean;
  [k: string]: unknown;
}
export interface NameCheckOutput {
  available: boolean;
  [k: string]: unknown;
}
export interface DscStepOutput {
  children: DscStepOutputChildrenItem[];
  truncated?: true;
  [k: string]: unknown;
}
export interface DscStepOutputChildrenItem {
  id: string;
  index: number;
  name: string;
  runtimeStatus: string;
  /**
   * Left out where the output is truncated.
   */
  context?: {
    [k: string]: unknown;
  };
  /**
   * By step id; left out where it is truncated.
   */
  outputs?: {
    [k: string]: unknown;
  };
  [k: string]: unknown;
}
export interface FileOutput {
  issues?: string[];
  certificateNumber?: string;
  [k: string]: unknown;
}
