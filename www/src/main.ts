import { NearfieldError, open } from "nearfield";
import type { Progress } from "nearfield";
import { App } from "./app.js";
import { byId } from "./dom.js";
import { bytesText } from "./meter.js";
import { keepForOffline } from "./offline.js";

const bar = byId<HTMLProgressElement>("loading-bar");
const text = byId("loading-text");
const retry = byId("loading-retry");

function showProgress({ receivedBytes, totalBytes }: Progress): void {
  if (totalBytes === undefined) {
    text.textContent = `Fetching the film archive: ${bytesText(receivedBytes)}`;
    return;
  }
  bar.value = receivedBytes / totalBytes;
  text.textContent = `Fetching the film archive: ${bytesText(receivedBytes)} of ${bytesText(totalBytes)}`;
}

function showFailure(error: unknown): void {
  const known = error instanceof NearfieldError;
  bar.hidden = true;
  text.textContent =
    known && error.code === "E_UNSUPPORTED"
      ? "This browser is too old for the page: it lacks WebAssembly with SIMD."
      : `The film archive could not be opened: ${error instanceof Error ? error.message : String(error)}`;
  retry.hidden = known && !error.retryable && error.code !== "E_FETCH";
}

async function start(): Promise<void> {
  bar.hidden = false;
  retry.hidden = true;
  try {
    const nf = await open("films.nf", {
      wasm: { simd128: "nearfield.wasm", relaxed: "nearfield_relaxed.wasm" },
      profile: "films",
      onProgress: showProgress,
    });
    byId("loading").hidden = true;
    byId("app").hidden = false;
    new App(nf);
  } catch (error) {
    showFailure(error);
    return;
  }
  await keepForOffline(byId("fact-offline"));
}

retry.addEventListener("click", () => void start());
void start();
