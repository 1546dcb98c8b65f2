import { makeOpen } from "./open.js";
import type { Open } from "./open.js";
import { node } from "./platform-node.js";

export * from "./api.js";

/**
 * Opens an archive and the person's profile.
 *
 * @param archive - Where the archive's bytes come from.
 * @param options - See {@link OpenOptions}; each has a default.
 * @returns The open archive. Call its `dispose()` to give its memory back.
 * @throws NearfieldError `E_ARG`, `E_FETCH`, `E_CORRUPT`, `E_VERSION`, `E_UNSUPPORTED`, `E_MEMORY`,
 *   `E_ENGINE`, `E_ABORTED` (as rejections). Failing storage is no error: see `OpenOptions.storage`.
 */
export const open: Open = /* @__PURE__ */ makeOpen(node);
