import assert from "node:assert/strict";
import { test } from "node:test";
import { openChromium } from "../lib/host-chromium.mjs";

test("the largest dot product is found", async () => {
  const host = await openChromium();
  try {
    const tasks = "benches/lib/products-task.mjs";
    const results = await host.run("products", { tasks, from: 64, groups: 3, blocks: 4 });
    assert.deepEqual(results.map(({ form }) => form), ["fours", "pairs"]);
    for (const { form, found, largest } of results) {
      assert.ok(largest > 0);
      assert.equal(found, largest, form);
    }
  } finally {
    await host.close();
  }
});
