/* SPDX-License-Identifier: Apache-2.0 */
#include <kemon/kemon.h>

KEMON_MANIFEST("{\"name\": \"event-log\", \"version\": \"1.0.0\", \"abi\": 1, \"license\": \"Apache-2.0\","
               " \"description\": \"Writes every event as text or JSON lines\","
               " \"extensions\": [\"kemon.config/1\", \"kemon.output/1\"],"
               " \"capabilities\": [\"observe\"], \"config\": {\"type\": \"object\", \"additionalProperties\": "
               "false, \"properties\": {\"format\": {\"enum\": [\"text\", \"jsonl\"], \"default\": \"text\"}, "
               "\"dialect\": {\"enum\": [\"2018\", \"2019\", 2018, 2019], \"default\": \"2018\"}, \"dump\": "
               "{\"enum\": [\"bytes\", \"words\", \"dwords\", \"qwords\"], \"default\": \"bytes\"}}}}");
