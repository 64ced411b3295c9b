import static java.util.stream.Collectors.toMap;

import com.azure.cosmos.CosmosClient;
import com.azure.cosmos.CosmosContainer;
import com.azure.cosmos.models.CosmosBatch;
import com.azure.cosmos.models.CosmosBatchItemRequestOptions;
import com.azure.cosmos.models.CosmosBatchResponse;
import com.azure.cosmos.models.CosmosBulkItemRequestOptions;
import com.azure.cosmos.models.CosmosBulkOperationResponse;
import com.azure.cosmos.models.CosmosBulkOperations;
import com.azure.cosmos.models.CosmosContainerProperties;
import com.azure.cosmos.models.CosmosItemIdentity;
import com.azure.cosmos.models.CosmosItemOperation;
import com.azure.cosmos.models.CosmosItemRequestOptions;
import com.azure.cosmos.models.CosmosItemResponse;
import com.azure.cosmos.models.CosmosPatchItemRequestOptions;
import com.azure.cosmos.models.CosmosPatchOperations;
import com.azure.cosmos.models.CosmosQueryRequestOptions;
import com.azure.cosmos.models.PartitionKey;
import com.azure.cosmos.models.PartitionKeyBuilder;
import com.azure.cosmos.models.PartitionKeyDefinition;
import com.azure.cosmos.models.PartitionKeyDefinitionVersion;
import com.azure.cosmos.models.PartitionKind;
import com.azure.cosmos.models.ThroughputProperties;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/** Documents, batches, bulk, containers. */
final class Documents {
    private final Shop shop;
    private final CosmosContainer container;

    Documents(Shop shop) {
        this.shop = shop;
        container = shop.container("prices");
    }

    void check() {
        Shop.check("create, read, replace, delete with If-Match", this::crud);
        Shop.check("PATCH: add, set, replace, remove, increment, move; conditions", this::patch);
        Shop.check("odd ids", this::oddIds);
        Shop.check("transactional batch: all or nothing", this::batch);
        Shop.check("bulk: each operation for itself", this::bulk);
        Shop.check("many documents by their ids and keys", this::many);
        Shop.check("hierarchical keys", this::hierarchical);
        Shop.check("TTL: gone from reads and queries", this::ttl);
        Shop.check("containers and databases: list, replace, throughput, delete; a wrong key", this::administration);
    }

    private static PartitionKey key(String id) {
        return new PartitionKey(id);
    }

    private static CosmosItemRequestOptions ifMatch(String etag) {
        return new CosmosItemRequestOptions().setIfMatchETag(etag);
    }

    private JsonNode read(String id) {
        return container.readItem(id, key(id), JsonNode.class).getItem();
    }

    private String crud() {
        JsonNode made = container.createItem(Shop.json("{'id':'p-1','price':12.5}")).getItem();
        Shop.same(made.get("price").asDouble(), 12.5);
        Shop.refused(409, () -> container.createItem(Shop.json("{'id':'p-1'}")));
        String first = made.get("_etag").asText();
        JsonNode next = Shop.json("{'id':'p-1','price':13}");
        CosmosItemResponse<JsonNode> replaced = container.replaceItem(next, "p-1", key("p-1"), ifMatch(first));
        Shop.refused(412, () -> container.replaceItem(next, "p-1", key("p-1"), ifMatch(first)));
        Shop.refused(412, () -> container.upsertItem(next, ifMatch(first)));
        Shop.refused(412, () -> container.deleteItem("p-1", key("p-1"), ifMatch(first)));
        CosmosItemRequestOptions minimal = ifMatch(replaced.getETag()).setContentResponseOnWriteEnabled(false);
        CosmosItemResponse<JsonNode> quiet = container.upsertItem(Shop.json("{'id':'p-1','price':14}"), minimal);
        Shop.same(quiet.getItem(), null);
        Shop.same(read("p-1").get("price").asInt(), 14);
        CosmosItemRequestOptions seen = new CosmosItemRequestOptions().setIfNoneMatchETag(quiet.getETag());
        Shop.same(container.readItem("p-1", key("p-1"), seen, JsonNode.class).getStatusCode(), 304);
        container.deleteItem("p-1", key("p-1"), ifMatch(quiet.getETag()));
        Shop.refused(404, () -> read("p-1"));
        Shop.refused(404, () -> container.deleteItem("p-1", key("p-1"), new CosmosItemRequestOptions()));
        return "";
    }

    private JsonNode patch(CosmosPatchOperations operations, CosmosPatchItemRequestOptions options) {
        return container.patchItem("p-2", key("p-2"), operations, options, JsonNode.class).getItem();
    }

    private String patch() {
        container.upsertItem(Shop.json("{'id':'p-2','price':1,'tags':['a'],'old':{'name':'x'}}"));
        CosmosPatchOperations operations = CosmosPatchOperations.create().increment("/price", 2).add("/tags/-", "c")
            .add("/tags/1", "b").set("/stock", Shop.json("{'count':7}")).replace("/stock/count", 8)
            .move("/old/name", "/name").remove("/old");
        JsonNode item = patch(operations, new CosmosPatchItemRequestOptions());
        List<String> found = List.of(item.get("price").asText(), item.get("tags").toString(),
            item.get("stock").toString(), item.get("name").asText(), String.valueOf(item.get("old")));
        Shop.same(found, List.of("3", "[\"a\",\"b\",\"c\"]", "{\"count\":8}", "x", "null"));
        CosmosPatchOperations sold = CosmosPatchOperations.create().set("/sold", true);
        CosmosPatchItemRequestOptions only = new CosmosPatchItemRequestOptions();
        Shop.refused(412, () -> patch(sold, only.setFilterPredicate("from c where c.price > 10")));
        JsonNode done = patch(sold, only.setFilterPredicate("from c where c.price = 3 AND c.name = 'x'"));
        Shop.same(done.get("sold").asBoolean(), true);
        CosmosPatchItemRequestOptions always = new CosmosPatchItemRequestOptions();
        Shop.refused(400, () -> patch(CosmosPatchOperations.create().replace("/nowhere", 1), always));
        Shop.refused(400, () -> patch(CosmosPatchOperations.create().remove("/nowhere"), always));
        CosmosPatchItemRequestOptions match = new CosmosPatchItemRequestOptions();
        match.setIfMatchETag(done.get("_etag").asText());
        patch(CosmosPatchOperations.create().increment("/price", -1.5), match);
        Shop.refused(412, () -> patch(CosmosPatchOperations.create().increment("/price", 1), match));
        Shop.same(read("p-2").get("price").asDouble(), 1.5);
        return "";
    }

    private String oddIds() {
        for (String id : List.of("a b", "100%", "it's", "🍏", "سعر", "x==..0", "a+b&c=d;", "..x", "é".repeat(80))) {
            container.upsertItem(Shop.JSON.createObjectNode().put("id", id));
            Shop.same(read(id).get("id").asText(), id);
            container.deleteItem(id, key(id), new CosmosItemRequestOptions());
        }
        return "";
    }

    private String batch() {
        CosmosBatch batch = CosmosBatch.createCosmosBatch(key("b-1"));
        batch.createItemOperation(Shop.json("{'id':'b-1','n':1}"));
        batch.patchItemOperation("b-1", CosmosPatchOperations.create().increment("/n", 4));
        batch.readItemOperation("b-1");
        CosmosBatchResponse done = container.executeCosmosBatch(batch);
        Shop.same(statuses(done), List.of(201, 200, 200));
        Shop.same(done.getResults().get(2).getItem(JsonNode.class).get("n").asInt(), 5);
        String etag = read("b-1").get("_etag").asText();
        CosmosBatch failing = CosmosBatch.createCosmosBatch(key("b-1"));
        failing.upsertItemOperation(Shop.json("{'id':'b-1','n':6}"));
        failing.replaceItemOperation("b-1", Shop.json("{'id':'b-1','n':7}"),
            new CosmosBatchItemRequestOptions().setIfMatchETag(etag));
        failing.deleteItemOperation("b-1");
        CosmosBatchResponse failed = container.executeCosmosBatch(failing);
        Shop.same(failed.isSuccessStatusCode(), false);
        Shop.same(statuses(failed), List.of(424, 412, 424));
        Shop.same(read("b-1").get("n").asInt(), 5);
        return "";
    }

    private static List<Integer> statuses(CosmosBatchResponse response) {
        return response.getResults().stream().map(r -> r.getStatusCode()).toList();
    }

    private Map<String, Integer> execute(List<CosmosItemOperation> operations) {
        Iterable<CosmosBulkOperationResponse<Object>> responses = container.executeBulkOperations(operations);
        return StreamSupport.stream(responses.spliterator(), false)
            .collect(toMap(r -> r.getOperation().getOperationType() + " " + r.getOperation().getId(),
                r -> r.getResponse().getStatusCode()));
    }

    private String bulk() {
        List<CosmosItemOperation> operations = new ArrayList<>();
        for (int n = 0; n < 250; n += 1) {
            JsonNode item = Shop.json("{'id':'bulk-%d','n':%d}", n, n);
            operations.add(CosmosBulkOperations.getUpsertItemOperation(item, key("bulk-" + n)));
        }
        Iterable<CosmosBulkOperationResponse<Object>> made = container.executeBulkOperations(operations);
        Shop.same(StreamSupport.stream(made.spliterator(), false)
            .filter(r -> r.getResponse().getStatusCode() == 201).count(), 250L);
        CosmosBulkItemRequestOptions wrong = new CosmosBulkItemRequestOptions().setIfMatchETag("\"wrong\"");
        Map<String, Integer> mixed = execute(List.of(
            CosmosBulkOperations.getReplaceItemOperation("bulk-1", Shop.json("{'id':'bulk-1','n':-1}"), key("bulk-1"), wrong),
            CosmosBulkOperations.getDeleteItemOperation("bulk-2", key("bulk-2")),
            CosmosBulkOperations.getReadItemOperation("bulk-3", key("bulk-3")),
            CosmosBulkOperations.getPatchItemOperation("bulk-4", key("bulk-4"), CosmosPatchOperations.create().increment("/n", 1)),
            CosmosBulkOperations.getDeleteItemOperation("bulk-none", key("bulk-none"))));
        Shop.same(mixed, Map.of("REPLACE bulk-1", 412, "DELETE bulk-2", 204, "READ bulk-3", 200, "PATCH bulk-4", 200,
            "DELETE bulk-none", 404));
        Shop.same(read("bulk-1").get("n").asInt(), 1);
        Shop.same(read("bulk-4").get("n").asInt(), 5);
        return "";
    }

    private String many() {
        List<CosmosItemIdentity> wanted = IntStream.range(10, 60).mapToObj(n -> "bulk-" + n)
            .map(id -> new CosmosItemIdentity(key(id), id)).toList();
        Shop.same(container.readMany(wanted, JsonNode.class).getResults().size(), 50);
        return "";
    }

    private String hierarchical() {
        PartitionKeyDefinition definition = new PartitionKeyDefinition();
        definition.setPaths(List.of("/tenant", "/user")).setKind(PartitionKind.MULTI_HASH);
        definition.setVersion(PartitionKeyDefinitionVersion.V2);
        CosmosContainer tenants = shop.container(new CosmosContainerProperties("tenants", definition));
        for (String tenant : List.of("a", "b")) {
            for (int n = 0; n < 6; n += 1) {
                tenants.createItem(Shop.json("{'id':'%d','tenant':'%s','user':'u-%d','n':%d}", n, tenant, n % 2, n));
            }
        }
        PartitionKey one = new PartitionKeyBuilder().add("a").add("u-1").build();
        Shop.same(tenants.readItem("3", one, JsonNode.class).getItem().get("n").asInt(), 3);
        tenants.deleteItem("3", one, new CosmosItemRequestOptions());
        for (var each : Map.of(one, "15", new PartitionKeyBuilder().add("a").build(), "01245").entrySet()) {
            CosmosQueryRequestOptions within = new CosmosQueryRequestOptions().setPartitionKey(each.getKey());
            List<String> found = tenants.queryItems("SELECT VALUE c.id FROM c", within, String.class).stream().sorted().toList();
            Shop.same(String.join("", found), each.getValue());
        }
        return "";
    }

    private String ttl() throws Exception {
        CosmosContainerProperties properties = new CosmosContainerProperties("short", "/id");
        CosmosContainer expiring = shop.container(properties.setDefaultTimeToLiveInSeconds(600));
        expiring.createItem(Shop.json("{'id':'stays'}"));
        expiring.createItem(Shop.json("{'id':'goes','ttl':1}"));
        String all = "SELECT VALUE c.id FROM c";
        Shop.until("the document expires", () ->
            expiring.queryItems(all, new CosmosQueryRequestOptions(), String.class).stream().toList().equals(List.of("stays")));
        Shop.refused(404, () -> expiring.readItem("goes", key("goes"), JsonNode.class));
        return "";
    }

    private String administration() {
        List<String> names = shop.database.readAllContainers().stream().map(CosmosContainerProperties::getId).sorted().toList();
        Shop.same(names, List.of("prices", "short", "tenants"));
        CosmosContainerProperties properties = container.read().getProperties();
        container.replace(properties.setDefaultTimeToLiveInSeconds(-1));
        Shop.same(container.read().getProperties().getDefaultTimeToLiveInSeconds(), -1);
        shop.database.createContainer(new CosmosContainerProperties("paid", "/id"), ThroughputProperties.createManualThroughput(400));
        CosmosContainer paid = shop.database.getContainer("paid");
        Shop.same(paid.readThroughput().getProperties().getManualThroughput(), 400);
        paid.replaceThroughput(ThroughputProperties.createManualThroughput(1_000));
        Shop.same(paid.readThroughput().getProperties().getManualThroughput(), 1_000);
        paid.delete();
        Shop.refused(404, paid::read);
        // A client of this SDK fails at its birth.
        try (CosmosClient wrong = Shop.builder().key("d3Jvbmc=").buildClient()) {
            throw new AssertionError("a wrong key is not refused");
        } catch (RuntimeException e) {
            if (!e.getMessage().contains("The input authorization token can't serve the request")) throw e;
        }
        return "";
    }
}
