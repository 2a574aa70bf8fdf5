#!/usr/bin/env bash
# Print the commit that is built: CodeBuild's own word, or what `git archive` wrote into a zip.
set -euo pipefail

revision="${CODEBUILD_RESOLVED_SOURCE_VERSION:-}"
[[ "$revision" =~ ^[0-9a-f]{40}$ ]] || revision="$(cat buildspec/REVISION)"
if ! [[ "$revision" =~ ^[0-9a-f]{40}$ ]]; then
  echo "nobody knows which commit this is; make the zip with git archive" >&2
  exit 1
fi
echo "$revision"
