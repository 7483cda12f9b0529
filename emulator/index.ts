/** An embedded stand-in for Temporal Cloud. */

export { Emulator, type EmulatorOptions } from "./emulator";
export type { FailedEnd, Fault, Faults, Malformation, RandomFaults } from "./faults";
export type { LoggedRequest, RequestLog } from "./requests";
export type { Resources } from "./resources";
export { defaultSettings, type Settings } from "./settings";
