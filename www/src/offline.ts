/**
 * Registers the service worker and says when the page would open without a network. Called once the page
 * works, so that filling the cache does not compete with the first visit.
 *
 * @param output - Shows the state.
 */
export async function keepForOffline(output: HTMLElement): Promise<void> {
  if (!("serviceWorker" in navigator)) {
    output.textContent = "not in this browser";
    return;
  }
  try {
    await navigator.serviceWorker.register("sw.js");
    // Ready means installed, and installing ends only when every file is in the cache.
    await navigator.serviceWorker.ready;
    output.textContent = "ready";
  } catch {
    output.textContent = "not possible here";
  }
}
