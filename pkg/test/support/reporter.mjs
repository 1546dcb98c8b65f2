/**
 * Reporter for `node --test`: one line a test, every failure in full, and at the end the line
 * `N passed, N failed` that the repository's top-level commands add up.
 */
export default async function* reporter(events) {
  let passed = 0;
  let failed = 0;
  for await (const { type, data } of events) {
    if (type === "test:stdout" || type === "test:stderr") yield data.message;
    if (type !== "test:pass" && type !== "test:fail") continue;
    // A file and a describe block are reported like tests; only leaves count. A failing file whose
    // tests all passed (it crashed while loading, say) must count too.
    const group = data.details?.type === "suite";
    const isFile = data.nesting === 0 && data.name === data.file;
    if (data.skip !== undefined || data.todo !== undefined) {
      yield `  skipped: ${data.name}\n`;
    } else if (type === "test:pass") {
      if (group || isFile) continue;
      passed += 1;
      yield `  ok: ${data.name} (${Math.round(data.details.duration_ms)} ms)\n`;
    } else {
      const cause = data.details.error?.cause ?? data.details.error;
      if (data.details.error?.failureType === "subtestsFailed") continue;
      failed += 1;
      yield `  FAILED: ${data.name}\n${indent(cause?.stack ?? String(cause))}\n`;
    }
  }
  yield `${passed} passed, ${failed} failed\n`;
}

function indent(text) {
  return text.replace(/^/gm, "    ");
}
