#!/usr/bin/env bash
# Push the image, upload its evidence, and print nothing but the image's digest.
set -euo pipefail

password="$(aws ecr get-login-password)"
docker login --username AWS --password-stdin "${REPOSITORY%%/*}" <<< "$password" >&2
docker push "$IMAGE" >&2
digest="$(aws ecr describe-images --repository-name "${REPOSITORY#*/}" --image-ids "imageTag=$IMAGE_TAG" \
  --query 'imageDetails[0].imageDigest' --output text)"

matteline containers state "$CONTAINER" --digest "$digest" \
  --revision "$REVISION" --build "$CODEBUILD_BUILD_ARN"
signature="$(aws kms sign --key-id "$PROVENANCE_KEY" --message fileb://evidence/statement.dsse \
  --message-type RAW --signing-algorithm ECDSA_SHA_384 --query Signature --output text)"
matteline containers vouch "$PROVENANCE_KEY" "$signature"
for file in sbom.cdx.json selftest.json provenance.json; do
  aws s3 cp --only-show-errors "evidence/$file" \
    "s3://$EVIDENCE_BUCKET/releases/$CONTAINER/${digest#sha256:}/$file" >&2
done
echo "$digest"
