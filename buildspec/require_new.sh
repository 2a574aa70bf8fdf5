#!/usr/bin/env bash
# Stop before the build if the registry has one of TAGS already: tags are immutable. An image without
# signed provenance was never released, so it may be deleted and its version built again.
set -euo pipefail

for tag in $TAGS; do
  digest="$(aws ecr batch-get-image --repository-name "${REPOSITORY#*/}" --image-ids "imageTag=$tag" \
    --query 'images[0].imageId.imageDigest' --output text)"
  [ "$digest" != None ] || continue

  signed="$(aws s3api list-objects-v2 --no-paginate --bucket "$EVIDENCE_BUCKET" --query 'KeyCount' --output text \
    --prefix "releases/$CONTAINER/${digest#sha256:}/provenance.json")"
  if [ "$signed" = 0 ]; then
    echo "$CONTAINER $tag was pushed by a build that failed later; delete the image and build again:" >&2
    echo "aws ecr batch-delete-image --repository-name ${REPOSITORY#*/} --image-ids imageTag=$tag" >&2
  else
    echo "$CONTAINER $tag is in the registry; raise its version: matteline containers bump $CONTAINER" >&2
  fi
  exit 1
done
