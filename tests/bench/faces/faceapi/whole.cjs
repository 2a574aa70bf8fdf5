// Find the faces of photos with face-api, as a careful user of it writes it. Nothing of ours runs here.
//
// `node whole.cjs OUT DESCRIBE PHOTO...` loads the networks once, decodes each photo with sharp, upright, and writes what
// was found to OUT, a JSON file a photo. DESCRIBE is "plain" (SSD and landmarks), "all" (expressions, ages and 128
// numbers too) or "tiny" (tiny detector, expressions and ages). It prints its peak memory as JSON.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const sharp = require('sharp');
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');

const MODELS = path.join(path.dirname(require.resolve('@vladmandic/face-api/package.json')), 'model');

const found = {
  plain: (pixels) => faceapi.detectAllFaces(pixels).withFaceLandmarks(),
  all: (pixels) => found.plain(pixels).withFaceExpressions().withAgeAndGender().withFaceDescriptors(),
  tiny: (pixels) => faceapi.detectAllFaces(pixels, new faceapi.TinyFaceDetectorOptions())
    .withFaceExpressions().withAgeAndGender(),
};

async function main([out, describe, ...photos]) {
  wasm.setWasmPaths(`${path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  await tf.setBackend('wasm');
  await tf.ready();
  const { nets } = faceapi;
  const used = {
    plain: [nets.ssdMobilenetv1, nets.faceLandmark68Net],
    all: [nets.ssdMobilenetv1, nets.faceLandmark68Net, nets.faceExpressionNet, nets.ageGenderNet, nets.faceRecognitionNet],
    tiny: [nets.tinyFaceDetector, nets.faceExpressionNet, nets.ageGenderNet],
  };
  for (const net of used[describe]) await net.loadFromDisk(MODELS);
  for (const photo of photos) {
    const { data, info } = await sharp(photo).rotate().toColourspace('srgb').removeAlpha().raw()
      .toBuffer({ resolveWithObject: true });
    const pixels = tf.tensor3d(new Uint8Array(data), [info.height, info.width, 3], 'int32');
    const faces = await found[describe](pixels);
    tf.dispose(pixels);
    fs.writeFileSync(path.join(out, `${path.parse(photo).name}.json`), JSON.stringify(faces));
  }
  console.log(JSON.stringify({ peak_mb: process.resourceUsage().maxRSS / 1024 }));
}

main(process.argv.slice(2));
