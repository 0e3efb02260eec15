// Options of operators and modules, as far as shapes depend on them.
//   The type of an options object in, the type of one option out, or an error for names that nobody knows.
// Must not know: which options there are.

/** The type of an option as it was written, or its default. One that may be left out at run time gives both. */
export type OptionOf<Options, Key extends string, Default extends Kind, Kind> = Key extends keyof Options
  ? (
      undefined extends Options[Key] ? Exclude<Options[Key], undefined> | Default : Options[Key]
    ) extends infer Value extends Kind
    ? Value
    : Default
  : Default;

/** What a type carries when an option is not known: no value has it, and the compiler prints the message. */
export interface UnknownOption<Message extends string> {
  readonly '~unknownOption': Message;
}

/**
 * Options `O` where `Options` are asked for: a name that these lack is an error, also where a literal goes to a type
 * parameter, which takes any. To be intersected with the parameter.
 */
export type Exact<O, Options> = {
  readonly [Name in Exclude<keyof O, keyof Options>]: UnknownOption<Advice<Name, keyof Options>>;
};

type Advice<Name, Known> = Name extends string
  ? Camel<Name> extends infer Other extends string
    ? Other extends Known
      ? `${Name}: did you mean ${Other}?`
      : Name
    : never
  : '';

type Camel<Name extends string> = Name extends `${infer Head}_${infer Rest}`
  ? `${Head}${Capitalize<Camel<Rest>>}`
  : Name;
