// Run face-api's six networks on a drawn picture of nobody. Nothing of ours runs here.
//
// `node networks.cjs > ../../../e2e/face_api_networks.json` stores their answers, which tests/e2e/test_face_networks.py
// compares with those of the converted networks. Of the detectors' long answers, it stores every n-th number.
'use strict';

const path = require('node:path');
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');

const MODELS = path.join(path.dirname(require.resolve('@vladmandic/face-api/package.json')), 'model');
const EVERY = 211;

function drawn(side) {
  const pixels = new Int32Array(side * side * 3);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      for (let c = 0; c < 3; c += 1) {
        pixels[(y * side + x) * 3 + c] = (x * (2 + c) + y * (4 - c) + ((x * y) >> 5)) & 255;
      }
    }
  }
  return tf.tensor3d(pixels, [side, side, 3], 'int32');
}

function some(tensor) {
  return Array.from(tensor.dataSync()).filter((_, index) => index % EVERY === 0);
}

async function main() {
  wasm.setWasmPaths(`${path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  await tf.setBackend('wasm');
  const { nets } = faceapi;
  const used = [nets.ssdMobilenetv1, nets.tinyFaceDetector, nets.faceLandmark68Net, nets.faceExpressionNet,
    nets.ageGenderNet, nets.faceRecognitionNet];
  for (const net of used) await net.loadFromDisk(MODELS);
  const ssd = await nets.ssdMobilenetv1.forward(drawn(512));
  const tiny = await nets.tinyFaceDetector.forward(drawn(416), 416);
  const ages = await nets.ageGenderNet.forward(drawn(112));
  console.log(JSON.stringify({
    every: EVERY,
    ssd: { boxes: some(ssd.boxes[0]), scores: some(ssd.scores[0]) },
    tiny: { grid: some(tiny.transpose([0, 3, 1, 2])) },
    landmarks: { points: Array.from((await nets.faceLandmark68Net.forward(drawn(112))).dataSync()) },
    expressions: { probabilities: Array.from((await nets.faceExpressionNet.forward(drawn(112))).dataSync()) },
    ages: { age: Array.from(ages.age.dataSync()), gender: Array.from(ages.gender.dataSync()) },
    recognition: { embedding: Array.from((await nets.faceRecognitionNet.forward(drawn(150))).dataSync()) },
  }));
}

main();
