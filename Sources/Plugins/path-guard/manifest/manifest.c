/* SPDX-License-Identifier: Apache-2.0 */
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"path-guard\", \"version\": \"1.0.0\", \"abi\": 1, \"license\": \"Apache-2.0\","
               " \"description\": \"Denies opens and execs below configured paths\","
               " \"extensions\": [\"kemon.config/1\"],"
               " \"capabilities\": [\"vote\"], \"config\": {\"type\": \"object\", \"additionalProperties\": false, "
               "\"properties\": {\"deny\": {\"type\": \"array\", \"default\": [], \"items\": {\"type\": \"object\", "
               "\"additionalProperties\": false, \"required\": [\"path\"], \"properties\": {\"path\": {\"type\": "
               "\"string\", \"description\": \"an absolute path\", \"minLength\": 1}, \"operations\": {\"type\": "
               "\"array\", \"minItems\": 1, \"items\": {\"enum\": [\"open\", \"exec\"]}, \"default\": [\"open\", "
               "\"exec\"]}, \"except\": {\"type\": \"array\", \"description\": \"ids of users\", \"items\": "
               "{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 4294967294}}}}}}}}");
