/** What every entry point exports beside `open`. */
export { NearfieldError } from "./errors.js";
export type { ErrorCode, ErrorDetails } from "./errors.js";
export type { Nearfield } from "./nearfield.js";
export type {
  ExcludeOptions,
  Imported,
  Interaction,
  Profile,
  ProfileEntry,
  Recorded,
  Selector,
} from "./profile.js";
export type {
  Answer,
  ArchiveInfo,
  ArchiveSource,
  Basis,
  Because,
  CatalogItem,
  Column,
  EngineKind,
  Facet,
  FacetsOptions,
  Fields,
  FieldValue,
  InteractionKind,
  Item,
  ListOptions,
  OpenOptions,
  Progress,
  Recall,
  RecommendOptions,
  SearchOptions,
  Section,
  Shortfall,
  SimilarOptions,
  WasmBytes,
  WasmModules,
  WasmSource,
} from "./types.js";
