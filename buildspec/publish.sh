#!/usr/bin/env bash
# Push the image of each of TAGS, upload its evidence, and print nothing but the last one's digest.
set -euo pipefail

password="$(aws ecr get-login-password)"
docker login --username AWS --password-stdin "${REPOSITORY%%/*}" <<< "$password" >&2
for tag in $TAGS; do
  docker push "$REPOSITORY:$tag" >&2
  digest="$(aws ecr describe-images --repository-name "${REPOSITORY#*/}" --image-ids "imageTag=$tag" \
    --query 'imageDetails[0].imageDigest' --output text)"

  matteline containers state "$CONTAINER" --folder "evidence/$tag" --digest "$digest" \
    --revision "$REVISION" --build "$CODEBUILD_BUILD_ARN"
  signature="$(aws kms sign --key-id "$PROVENANCE_KEY" --message "fileb://evidence/$tag/statement.dsse" \
    --message-type RAW --signing-algorithm ECDSA_SHA_384 --query Signature --output text)"
  matteline containers vouch "$PROVENANCE_KEY" "$signature" --folder "evidence/$tag"
  for file in sbom.cdx.json selftest.json provenance.json; do
    aws s3 cp --only-show-errors "evidence/$tag/$file" \
      "s3://$EVIDENCE_BUCKET/releases/$CONTAINER/${digest#sha256:}/$file" >&2
  done
done
echo "$digest"
