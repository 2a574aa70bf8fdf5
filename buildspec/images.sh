#!/usr/bin/env bash
# Build and self-test the image of each of TAGS, and write its evidence to evidence/TAG/.
set -euo pipefail

folder="${CONTAINER//-/_}"
for tag in $TAGS; do
  gpu=""
  if [ "$tag" != "$IMAGE_TAG" ]; then gpu=1; fi
  # Lambda accepts a single image, not an index, so docker may add no attestations.
  docker build --provenance=false --sbom=false --file containers/Dockerfile --tag "$REPOSITORY:$tag" \
    --build-arg CONTAINER="$folder" --build-arg VERSION="$tag" --build-arg REVISION="$REVISION" \
    --build-arg GPU="$gpu" .
  mkdir -p "evidence/$tag"
  # No build machine has a GPU: the GPU image's self-test runs on the processor.
  docker run --rm --read-only --tmpfs /tmp --network none --entrypoint python "$REPOSITORY:$tag" \
    -m "containers.$folder.selftest" > "evidence/$tag/selftest.log"
  cyclonedx-py requirements "containers/$folder/requirements${gpu:+-gpu}.txt" --sv 1.6 \
    --output-file "evidence/$tag/sbom.json"
  matteline containers evidence "$CONTAINER" --folder "evidence/$tag" --tag "$tag"
done
