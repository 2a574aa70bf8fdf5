#!/usr/bin/env bash
# Stop before anything is built where the version is in the registry already: tags are immutable.
set -euo pipefail

found="$(aws ecr batch-get-image --repository-name "${REPOSITORY#*/}" --image-ids "imageTag=$IMAGE_TAG" \
  --query 'length(images)' --output text)"
if [ "$found" != 0 ]; then
  echo "$CONTAINER $IMAGE_TAG is in the registry already; raise its version: matteline containers bump $CONTAINER" >&2
  exit 1
fi
