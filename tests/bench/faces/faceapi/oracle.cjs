// Find and describe faces with face-api on tfjs's wasm backend. Nothing of ours runs here.
//
// `node oracle.cjs JOB.json` reads {photos: [{path, width, height}], detector: "ssd" | "tiny", describe: ["landmarks",
// "expressions", "age_gender", "descriptors"], min_score, rounds, origin: "box" | "crop"}. A photo is a file of RGB
// bytes. It prints a line of JSON for each photo, with its faces, and the processor time and resident memory of each round,
// and one for the process. Loading does not count.
//
// face-api adds the corner of a face's box to its landmarks. It cut the face out at the box clipped to the photo and
// rounded down, so its landmarks are up to a pixel off, and more at the edges of a photo. `origin: "crop"` adds the corner
// of what was cut out. Everything else is face-api's own, in its own order.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');

const MODELS = path.join(path.dirname(require.resolve('@vladmandic/face-api/package.json')), 'model');
const NETS = {
  landmarks: faceapi.nets.faceLandmark68Net,
  expressions: faceapi.nets.faceExpressionNet,
  age_gender: faceapi.nets.ageGenderNet,
  descriptors: faceapi.nets.faceRecognitionNet,
};

async function main(job) {
  wasm.setWasmPaths(`${path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  await tf.setBackend('wasm');
  await tf.ready();
  const detector = job.detector === 'ssd' ? faceapi.nets.ssdMobilenetv1 : faceapi.nets.tinyFaceDetector;
  await detector.loadFromDisk(MODELS);
  for (const what of job.describe) await NETS[what].loadFromDisk(MODELS);
  const find = job.origin === 'crop' ? fromCropOrigin : asPublished;
  const loadedMb = residentMb();
  for (const photo of job.photos) {
    const rounds = [];
    let faces;
    for (let round = 0; round < (job.rounds || 1); round += 1) {
      const rgb = new Uint8Array(fs.readFileSync(photo.path));
      const started = process.cpuUsage();
      const pixels = tf.tensor3d(rgb, [photo.height, photo.width, 3], 'int32');
      faces = await find(pixels, job);
      tf.dispose(pixels);
      const used = process.cpuUsage(started);
      rounds.push({ cpu_s: (used.user + used.system) / 1e6, resident_mb: residentMb() });
    }
    console.log(JSON.stringify({ faces: faces.map((face) => described(face)), rounds }));
  }
  const peakMb = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ loaded_mb: loadedMb, peak_mb: peakMb, backend: tf.getBackend() }));
}

function residentMb() {
  return process.memoryUsage().rss / 2 ** 20;
}

function options(job) {
  return job.detector === 'ssd'
    ? new faceapi.SsdMobilenetv1Options({ minConfidence: job.min_score, maxResults: 100 })
    : new faceapi.TinyFaceDetectorOptions({ inputSize: 416, scoreThreshold: job.min_score });
}

// As face-api's users write it.
async function asPublished(pixels, job) {
  const asked = new Set(job.describe);
  let task = faceapi.detectAllFaces(pixels, options(job));
  if (asked.size === 0) return (await task).map((detection) => ({ detection }));
  if (asked.has('landmarks')) task = task.withFaceLandmarks();
  if (asked.has('expressions')) task = task.withFaceExpressions();
  if (asked.has('age_gender')) task = task.withAgeAndGender();
  if (asked.has('descriptors')) task = task.withFaceDescriptors();
  return task;
}

// The same steps one by one, with landmarks where the pixels came from.
async function fromCropOrigin(pixels, job) {
  const asked = new Set(job.describe);
  const [height, width] = pixels.shape;
  const faces = [];
  for (const detection of await faceapi.detectAllFaces(pixels, options(job))) {
    const face = { detection };
    let aligned = detection;
    if (asked.has('landmarks')) {
      const [crop] = await faceapi.extractFaceTensors(pixels, [detection]);
      const origin = detection.box.clipAtImageBorders(width, height);
      face.unshiftedLandmarks = await NETS.landmarks.detectLandmarks(crop);
      face.landmarks = face.unshiftedLandmarks.shiftBy(origin.x, origin.y);
      aligned = new faceapi.FaceDetection(
        detection.score,
        face.landmarks.align().rescale({ width: 1 / width, height: 1 / height }),
        { width, height },
      );
      crop.dispose();
    }
    const [crop] = await faceapi.extractFaceTensors(pixels, [aligned]);
    if (asked.has('expressions')) face.expressions = await NETS.expressions.predictExpressions(crop);
    if (asked.has('age_gender')) Object.assign(face, await NETS.age_gender.predictAgeAndGender(crop));
    crop.dispose();
    if (asked.has('descriptors')) {
      const [square] = await faceapi.extractFaceTensors(pixels, [face.landmarks.align(null, { useDlibAlignment: true })]);
      face.descriptor = await NETS.descriptors.computeFaceDescriptor(square);
      square.dispose();
    }
    faces.push(face);
  }
  return faces;
}

function described({ detection, landmarks, expressions, age, gender, genderProbability, descriptor }) {
  const { x, y, width, height } = detection.box;
  return {
    box: [x, y, width, height],
    score: detection.score,
    landmarks: landmarks && landmarks.positions.map((point) => [point.x, point.y]),
    expressions: expressions && { ...expressions },
    age,
    gender,
    gender_probability: genderProbability,
    descriptor: descriptor && Array.from(descriptor),
  };
}

main(JSON.parse(fs.readFileSync(process.argv[2], 'utf8')));
