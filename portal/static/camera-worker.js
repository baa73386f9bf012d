// Reads barcodes from pictures, away from the page. This script alone may compile WebAssembly (its answer carries its own policy).
"use strict";
const READ = {
  // what stands on our own papers and on the makers' serial labels
  formats: ["Code128", "Code39", "Code93", "EAN13", "EAN8", "UPCA", "UPCE", "QRCode", "DataMatrix"],
  tryHarder: true,
  tryInvert: false,
  maxNumberOfSymbols: 8,
  textMode: "Plain",
};

self.addEventListener("message", async ({ data }) => {
  try {
    if (data.script) {
      importScripts(data.script);
      await ZXingWASM.prepareZXingModule({ overrides: { locateFile: () => data.wasm }, fireImmediately: true });
      self.postMessage({ ready: true });
      return;
    }
    const found = await ZXingWASM.readBarcodes(data.picture, READ);
    self.postMessage({
      codes: found.filter((code) => code.isValid).map(({ text, position: { topLeft, bottomRight } }) => (
        { text, x: (topLeft.x + bottomRight.x) / 2, y: (topLeft.y + bottomRight.y) / 2 })),
    });
  } catch (fault) {
    self.postMessage({ fault: String(fault) });
  }
});
