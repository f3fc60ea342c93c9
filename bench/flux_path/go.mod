module countersign/bench/flux_path

go 1.21

require github.com/Masterminds/semver/v3 v3.5.0
