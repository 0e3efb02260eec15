// Options of operators and modules, as far as shapes depend on them.
//   The type of an options object in, the type of one option out.
// Must not know: which options there are.

/** The type of an option as it was written, or its default. One that may be left out at run time gives both. */
export type OptionOf<Options, Key extends string, Default extends Kind, Kind> = Key extends keyof Options
  ? (
      undefined extends Options[Key] ? Exclude<Options[Key], undefined> | Default : Options[Key]
    ) extends infer Value extends Kind
    ? Value
    : Default
  : Default;
