//! What is inside an image: catalogue, purl, CycloneDX, SPDX, vulnerabilities.
