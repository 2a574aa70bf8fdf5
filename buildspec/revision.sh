#!/usr/bin/env bash
# Print the commit that is built: from CodeBuild, or as `git archive` wrote it into a zip.
set -euo pipefail

revision="${CODEBUILD_RESOLVED_SOURCE_VERSION:-}"
[[ "$revision" =~ ^[0-9a-f]{40}$ ]] || revision="$(cat buildspec/REVISION)"
if ! [[ "$revision" =~ ^[0-9a-f]{40}$ ]]; then
  echo "unknown commit; make the zip with git archive" >&2
  exit 1
fi
echo "$revision"
