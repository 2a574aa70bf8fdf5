// Find the faces of photos with face-api, as a careful user of it writes it. Nothing of ours runs here.
//
// `node whole.cjs OUT DESCRIBE PHOTO...` loads the networks once, decodes each photo with sharp, upright, and writes what
// was found to OUT, a JSON file a photo. DESCRIBE is "plain" (SSD and landmarks) or "all" (expressions, ages and 128
// numbers too).
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const sharp = require('sharp');
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');

const MODELS = path.join(path.dirname(require.resolve('@vladmandic/face-api/package.json')), 'model');

async function main([out, describe, ...photos]) {
  wasm.setWasmPaths(`${path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  await tf.setBackend('wasm');
  await tf.ready();
  const all = describe === 'all';
  const { nets } = faceapi;
  const more = all ? [nets.faceExpressionNet, nets.ageGenderNet, nets.faceRecognitionNet] : [];
  for (const net of [nets.ssdMobilenetv1, nets.faceLandmark68Net, ...more]) await net.loadFromDisk(MODELS);
  for (const photo of photos) {
    const { data, info } = await sharp(photo).rotate().toColourspace('srgb').removeAlpha().raw()
      .toBuffer({ resolveWithObject: true });
    const pixels = tf.tensor3d(new Uint8Array(data), [info.height, info.width, 3], 'int32');
    const found = faceapi.detectAllFaces(pixels).withFaceLandmarks();
    const faces = await (all ? found.withFaceExpressions().withAgeAndGender().withFaceDescriptors() : found);
    tf.dispose(pixels);
    fs.writeFileSync(path.join(out, `${path.parse(photo).name}.json`), JSON.stringify(faces));
  }
}

main(process.argv.slice(2));
