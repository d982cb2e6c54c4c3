export default {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  moduleFileExtensions: ["ts", "js", "json"],
  transform: { "\\.ts$": "<rootDir>/tests/transform.js" },
  testMatch: ["<rootDir>/tests/**/*.test.ts"],
  // Real containers on a loaded machine: a limit against hanging, not a measure of speed.
  testTimeout: 120_000,
  modulePathIgnorePatterns: ["<rootDir>/dist"],
};
