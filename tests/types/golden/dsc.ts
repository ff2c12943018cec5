// Types of the context and the step outputs of dsc 1.0.0, printed by stepgraph types.

export interface Context {
  directorId: string;
  name?: string;
  [k: string]: unknown;
}

export interface StepOutputs {
  start: {
    [k: string]: unknown;
  };
  "collect-id": CollectIdOutput;
  issue: IssueOutput;
  end: {
    [k: string]: unknown;
  };
}
export interface CollectIdOutput {
  documents: string[];
  [k: string]: unknown;
}
export interface IssueOutput {
  certificateId: string;
  [k: string]: unknown;
}
