#!/usr/bin/env bash
# Stop before anything is built where the version is in the registry already: tags are immutable. An
# image that was pushed and never vouched for is no release: deleting it lets the version be built again.
set -euo pipefail

digest="$(aws ecr batch-get-image --repository-name "${REPOSITORY#*/}" --image-ids "imageTag=$IMAGE_TAG" \
  --query 'images[0].imageId.imageDigest' --output text)"
[ "$digest" != None ] || exit 0

vouched="$(aws s3api list-objects-v2 --no-paginate --bucket "$EVIDENCE_BUCKET" --query 'KeyCount' --output text \
  --prefix "releases/$CONTAINER/${digest#sha256:}/provenance.json")"
if [ "$vouched" = 0 ]; then
  echo "$CONTAINER $IMAGE_TAG was pushed by a build that failed after it: delete the image, build again:" >&2
  echo "aws ecr batch-delete-image --repository-name ${REPOSITORY#*/} --image-ids imageTag=$IMAGE_TAG" >&2
else
  echo "$CONTAINER $IMAGE_TAG is in the registry; raise its version: matteline containers bump $CONTAINER" >&2
fi
exit 1
