/** A headless Chromium for tests, with an empty profile of its own. */
import { chromium } from "playwright-core";
import { CHROMIUM_ARGUMENTS } from "./chromium-arguments.mjs";

/**
 * Nothing of the browser's own may reach the network or disturb a test. `CHROMIUM` names another
 * executable.
 */
export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: CHROMIUM_ARGUMENTS,
  });
}
