/** The answers we deliberately give otherwise than the reference, each with its reason. Keep it short. */

/** Case name → reason. */
export const DEVIATIONS: Readonly<Record<string, string>> = {
  "loader/loader/TestXService":
    "reference bug: a network called x-network is moved into an internal `#extensions` key and lost; below `networks` every key is a name",
  "loader/loader/TestWithSelectedServicesOption_SkipsMissingEnvFile#2":
    "a missing env_file of a service that is not selected is no error: the newer reference's own unit test, and rule 15 of compose.md, accept it",
  "pc-interpolation--docker-compose variables":
    "a variable that is written both with a default and without: the reference takes whichever Go's random map order gives, we take the default",
};
