#!/usr/bin/env bash
# The version stands in the control file; what else must name it names the same one.
set -euo pipefail

version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" extension/gravitas_telemetry.control)
named=$(python3 -c 'import json; meta = json.load(open("META.json")); print(meta["version"], meta["provides"]["gravitas_telemetry"]["version"])')
[[ $named == "$version.0 $version.0" ]] || { echo "META.json names $named, the control file $version"; exit 1; }
grep -qE "^## $version\.0 " CHANGELOG.md || { echo "CHANGELOG.md has no entry for $version.0"; exit 1; }
if grep -nP '[^\x00-\x7F]' sql/parts/*.sql; then
    echo 'the install script must be ASCII: CREATE EXTENSION reads it in the encoding of the database'
    exit 1
fi
echo "version $version everywhere, install script in ASCII"
