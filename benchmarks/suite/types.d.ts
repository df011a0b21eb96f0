/** What the parts of the suite hand each other. */

/** What a program is told; each is an option of the same name. */
export interface Parameters {
  /** One of suite/providers.mjs; the program gets the provider's name, and its domain. */
  readonly fabric?: string;
  /** Bytes of a message, one phase each. */
  readonly sizes?: readonly number[];
  /** How long each phase counts. */
  readonly seconds?: number;
  /** Instead of a time: how many messages a phase has. */
  readonly messages?: number;
  /** Messages in flight. */
  readonly window?: number;
  readonly shape?: string;
  readonly what?: string;
  readonly addresses?: number;
  readonly endpoints?: number;
}

/** Who is measured in a case. */
export interface Entry {
  /** Unique within its case. */
  readonly name: string;
  /** One of suite/programs.mjs. */
  readonly program: string;
  /** Besides those of the case. */
  readonly parameters?: Parameters;
}

/** What is wanted of a case. */
export interface Target {
  readonly what: string;
  /** Whose figure, by the name of the entry … */
  readonly subject: string;
  /** … over whose; without it the figure itself is what counts. */
  readonly reference?: string;
  readonly figure: string;
  /** At which sizes; at all of them where it is left out. */
  readonly sizes?: readonly number[];
  readonly atMost?: number;
  readonly atLeast?: number;
  /** Of a figure without a reference. */
  readonly unit?: string;
}

/** What is measured in one go: its entries take turns, round after round. */
export interface Case {
  readonly name: string;
  readonly what: string;
  readonly parameters: Parameters;
  readonly entries: readonly Entry[];
  readonly targets: readonly Target[];
  /** Fewer than the run has, where one takes long. */
  readonly rounds?: number;
  /** What --quick changes, besides that phases are ten times shorter. */
  readonly quick?: Parameters;
}

/** What a program says of one phase: figures by name. */
export type Phase = Readonly<Record<string, number | readonly number[] | undefined>>;

/** One figure over the rounds. */
export interface Figure {
  readonly median: number;
  /** Of each round. */
  readonly values: readonly number[];
}

/** What was measured of an entry in one phase. */
export interface PhaseResult {
  readonly size?: number;
  readonly figures: Readonly<Record<string, Figure>>;
  /** Percentiles 0 to 100, each the median over the rounds; of round trips only. */
  readonly quantiles?: readonly number[];
}

export interface EntryResult {
  readonly name: string;
  readonly program: string;
  readonly phases: readonly PhaseResult[];
  /** Why there are none. */
  readonly error?: string;
}

/** How a target did at one size. */
export interface Verdict {
  readonly size?: number;
  /** The ratio, or the figure where there is no reference: the median over the rounds … */
  readonly value: number;
  /** … and their quartiles. */
  readonly low: number;
  readonly high: number;
  /** The figures themselves. */
  readonly subject: number;
  readonly reference?: number;
  /** Undefined where nothing is wanted. */
  readonly isMet?: boolean;
}

export interface TargetResult extends Target {
  /** None when something failed. */
  readonly verdicts: readonly Verdict[];
}

export interface CaseResult {
  readonly name: string;
  readonly what: string;
  readonly parameters: Parameters;
  readonly entries: readonly EntryResult[];
  readonly targets: readonly TargetResult[];
  /** Why it was not run. */
  readonly skipped?: string;
}

/** A run of the suite: what --json and --save write. */
export interface Report {
  readonly format: 1;
  readonly date: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly isQuick: boolean;
  readonly cases: readonly CaseResult[];
}
