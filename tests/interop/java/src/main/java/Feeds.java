import com.azure.cosmos.CosmosClient;
import com.azure.cosmos.CosmosContainer;
import com.azure.cosmos.models.CosmosChangeFeedRequestOptions;
import com.azure.cosmos.models.CosmosItemRequestOptions;
import com.azure.cosmos.models.FeedRange;
import com.azure.cosmos.models.FeedResponse;
import com.azure.cosmos.models.PartitionKey;
import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Change feeds by the pull model, across splits and merges while others write. Every id is counted. */
final class Feeds {
    private final Shop shop;

    Feeds(Shop shop) {
        this.shop = shop;
    }

    void check() {
        Shop.check("feed from the beginning, a continuation, now, by key", this::starts);
        Shop.check("feed from a time", this::fromATime);
        Shop.check("by feed range: the ranges' parts are disjoint and whole", this::byRange);
        Shop.check("the whole feed across two splits and two merges, with writes going on: nothing lost", this::crossed);
        Shop.check("one reader a feed range across a split and a merge: each goes on with its part", this::apart);
        Shop.check("all versions and deletes across a split and a merge: every version once, with its images", this::versions);
    }

    /** Pages of a change feed; after each, the continuation to go on from. */
    private static final class Feed {
        CosmosContainer container;
        private CosmosChangeFeedRequestOptions options;
        private final boolean allVersions;

        Feed(CosmosContainer container, CosmosChangeFeedRequestOptions start, boolean allVersions) {
            this.container = container;
            this.allVersions = allVersions;
            options = allVersions ? start.allVersionsAndDeletes() : start;
        }

        /** So many pages, or up to the end. */
        void read(Consumer<JsonNode> each, int pages) {
            // No reading ahead: what is not delivered here must be delivered from the continuation.
            options.setMaxItemCount(5).setMaxPrefetchPageCount(1);
            String token = null;
            int count = 0;
            for (FeedResponse<JsonNode> page : container.queryChangeFeed(options, JsonNode.class).iterableByPage(5)) {
                page.getResults().forEach(each);
                token = page.getContinuationToken();
                count += 1;
                if (count >= pages) break;
            }
            if (token == null) return;
            options = CosmosChangeFeedRequestOptions.createForProcessingFromContinuation(token);
            if (allVersions) options.allVersionsAndDeletes();
        }

        List<JsonNode> drain() {
            List<JsonNode> seen = new ArrayList<>();
            read(seen::add, Integer.MAX_VALUE);
            return seen;
        }
    }

    private static Feed beginning(CosmosContainer container, FeedRange range) {
        return new Feed(container, CosmosChangeFeedRequestOptions.createForProcessingFromBeginning(range), false);
    }

    private static List<String> ids(List<JsonNode> items) {
        return items.stream().map(item -> item.get("id").asText()).sorted().toList();
    }

    /** What a reader of latest versions has seen: the newest version of each id. */
    private static final class Seen implements Consumer<JsonNode> {
        final Map<String, Integer> newest = new TreeMap<>();
        int items;

        @Override
        public void accept(JsonNode item) {
            String id = item.get("id").asText();
            int version = item.get("version").asInt();
            if (version < newest.getOrDefault(id, 0)) throw new AssertionError(id + " went backwards to version " + version);
            newest.put(id, version);
            items += 1;
        }
    }

    private String starts() {
        CosmosContainer fed = shop.container("fed");
        for (int n = 0; n < 25; n += 1) fed.upsertItem(Shop.json("{'id':'f-%d','n':%d}", n, n));
        FeedRange whole = FeedRange.forFullRange();
        Feed first = beginning(fed, whole);
        List<JsonNode> seen = first.drain();
        Shop.same(seen.size(), 25);
        Shop.same(new HashSet<>(ids(seen)).size(), 25);
        if (!seen.stream().allMatch(item -> item.get("_lsn").isIntegralNumber())) throw new AssertionError("no _lsn");
        Feed now = new Feed(fed, CosmosChangeFeedRequestOptions.createForProcessingFromNow(whole), false);
        Shop.same(now.drain().size(), 0);
        fed.upsertItem(Shop.json("{'id':'f-3','n':100}"));
        fed.deleteItem("f-4", new PartitionKey("f-4"), new CosmosItemRequestOptions());
        for (Feed feed : List.of(first, now)) Shop.same(ids(feed.drain()), List.of("f-3"));
        Feed one = beginning(fed, FeedRange.forLogicalPartition(new PartitionKey("f-7")));
        Shop.same(ids(one.drain()), List.of("f-7"));
        fed.upsertItem(Shop.json("{'id':'f-7','n':200}"));
        fed.upsertItem(Shop.json("{'id':'f-8','n':200}"));
        Shop.same(ids(one.drain()), List.of("f-7"));
        return "";
    }

    private String fromATime() throws Exception {
        CosmosContainer timed = shop.container("timed");
        long before = timed.upsertItem(Shop.json("{'id':'before'}")).getItem().get("_ts").asLong();
        Shop.until("the next second", () -> System.currentTimeMillis() > before * 1000 + 1100);
        long after = timed.upsertItem(Shop.json("{'id':'after'}")).getItem().get("_ts").asLong();
        for (var each : Map.of(before, List.of("after"), before - 1, List.of("after", "before"), after + 60, List.of()).entrySet()) {
            var options = CosmosChangeFeedRequestOptions.createForProcessingFromPointInTime(
                Instant.ofEpochSecond(each.getKey()), FeedRange.forFullRange());
            Shop.same(ids(new Feed(timed, options, false).drain()), each.getValue());
        }
        return "";
    }

    private String byRange() {
        CosmosContainer ranged = shop.container("ranged");
        new Writer(ranged, 60);
        List<FeedRange> ranges = ranged.getFeedRanges();
        Shop.same(ranges.size(), 4);
        List<JsonNode> found = new ArrayList<>();
        for (FeedRange range : ranges) found.addAll(beginning(ranged, range).drain());
        Shop.same(found.size(), 60);
        Shop.same(new HashSet<>(ids(found)).size(), 60);
        return "";
    }

    private String crossed() throws Exception {
        CosmosContainer crossed = shop.container("crossed");
        Writer writer = new Writer(crossed, 200);
        writer.start();
        Seen seen = new Seen();
        Feed feed = beginning(crossed, FeedRange.forFullRange());
        String database = shop.database.getId();
        List<Runnable> steps = List.of(
            () -> Shop.split(database, "crossed", 0), () -> Shop.split(database, "crossed", 5),
            () -> Shop.merge(database, "crossed", 7, 1), () -> Shop.merge(database, "crossed", 4, 6));
        List<CosmosClient> cold = new ArrayList<>();
        for (Runnable step : steps) {
            feed.read(seen, 6);
            step.run();
            feed.read(seen, 6);
            // A client that knows nothing of the ranges goes on from what was written down.
            cold.add(Shop.connect());
            feed.container = cold.get(cold.size() - 1).getDatabase(database).getContainer("crossed");
        }
        writer.stop();
        feed.read(seen, Integer.MAX_VALUE);
        cold.forEach(CosmosClient::close);
        Shop.same(seen.newest, new TreeMap<>(writer.last));
        return writer.writes + " writes, " + seen.items + " delivered";
    }

    private String apart() throws Exception {
        CosmosContainer apart = shop.container("apart");
        Writer writer = new Writer(apart, 160);
        writer.start();
        List<Feed> readers = apart.getFeedRanges().stream().map(range -> beginning(apart, range)).toList();
        List<Seen> seen = readers.stream().map(reader -> new Seen()).toList();
        String database = shop.database.getId();
        for (int step = 0; step < 4; step += 1) {
            if (step == 1) Shop.split(database, "apart", 1); // 4, 5
            if (step == 2) Shop.merge(database, "apart", 5, 2); // half of the second's range, and the third's
            if (step == 3) writer.stop();
            for (int at = 0; at < readers.size(); at += 1) readers.get(at).read(seen.get(at), step == 3 ? Integer.MAX_VALUE : 3);
        }
        Map<String, Integer> all = new TreeMap<>();
        for (Seen each : seen) {
            for (var pair : each.newest.entrySet()) {
                if (all.put(pair.getKey(), pair.getValue()) != null) throw new AssertionError(pair.getKey() + " came to two readers");
            }
        }
        Shop.same(all, new TreeMap<>(writer.last));
        return writer.writes + " writes";
    }

    private String versions() throws Exception {
        CosmosContainer container = shop.container("versions");
        container.createItem(Shop.json("{'id':'earlier','version':1}"));
        Feed feed = new Feed(container, CosmosChangeFeedRequestOptions.createForProcessingFromNow(FeedRange.forFullRange()), true);
        Shop.same(feed.drain().size(), 0);
        List<String> ids = List.of("v-0", "v-1", "v-2", "v-3");
        Thread live = new Thread(() -> {
            for (int version = 1; version <= 40; version += 1) {
                for (String id : ids) {
                    container.upsertItem(Shop.json("{'id':'%s','version':%d}", id, version));
                    if (version % 10 == 0) container.deleteItem(id, new PartitionKey(id), new CosmosItemRequestOptions());
                }
            }
        });
        live.start();
        List<JsonNode> changes = new ArrayList<>();
        feed.read(changes::add, 3);
        Shop.split(shop.database.getId(), "versions", 0);
        feed.read(changes::add, 3);
        Shop.merge(shop.database.getId(), "versions", 5, 1);
        feed.read(changes::add, 3);
        live.join();
        feed.read(changes::add, Integer.MAX_VALUE);
        for (String id : ids) {
            List<String> expected = new ArrayList<>();
            for (int version = 1; version <= 40; version += 1) {
                boolean first = version % 10 == 1;
                expected.add(first ? "create " + version + " -" : "replace " + version + " " + (version - 1));
                if (version % 10 == 0) expected.add("delete - " + version);
            }
            Shop.same(changes.stream().filter(change -> id.equals(of(change))).map(Feeds::told).toList(), expected);
        }
        return changes.size() + " versions";
    }

    private static String of(JsonNode change) {
        String current = change.path("current").path("id").asText();
        return current.isEmpty() ? change.path("metadata").path("id").asText(change.path("previous").path("id").asText()) : current;
    }

    private static String told(JsonNode change) {
        String current = change.path("current").path("version").asText("-");
        String previous = change.path("previous").path("version").asText("-");
        String operation = change.path("metadata").path("operationType").asText();
        return operation + " " + (current.isEmpty() ? "-" : current) + " " + (previous.isEmpty() ? "-" : previous);
    }
}
