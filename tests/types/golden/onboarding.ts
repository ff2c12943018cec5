// Types of the context and the step outputs of onboarding 1.0.0, printed by stepgraph types.

export interface Context {
  employee: string;
  startsOn?: string;
  [k: string]: unknown;
}

export interface StepOutputs {
  start: {
    [k: string]: unknown;
  };
  contract: ContractOutput;
  details: DetailsOutput;
  accounts: AccountsOutput;
  welcome: {
    [k: string]: unknown;
  };
  end: {
    [k: string]: unknown;
  };
}
export interface ContractOutput {
  documents: string[];
  [k: string]: unknown;
}
export interface DetailsOutput {
  iban: string;
  [k: string]: unknown;
}
export interface AccountsOutput {
  username: string;
  [k: string]: unknown;
}
