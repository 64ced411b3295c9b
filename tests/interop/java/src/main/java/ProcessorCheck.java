import com.azure.cosmos.ChangeFeedProcessor;
import com.azure.cosmos.ChangeFeedProcessorBuilder;
import com.azure.cosmos.CosmosAsyncClient;
import com.azure.cosmos.CosmosAsyncContainer;
import com.azure.cosmos.models.ChangeFeedProcessorOptions;
import com.azure.cosmos.models.CosmosContainerProperties;
import com.azure.cosmos.models.CosmosQueryRequestOptions;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import reactor.core.publisher.Flux;

/**
 * Java's own change feed processor against the emulator: it makes its leases, is killed on the way, goes on
 * where it stopped, two of them share the leases, and while they read and others write a range splits (and, with
 * leases by EPK range, merges again); every document is delivered.
 * Phases, each a JVM of its own: fill, first KIND FILE, second KIND FILE. KIND is pk or epk.
 */
public final class ProcessorCheck {
    private static final int DOCUMENTS = 5_000;
    /** Documents written after each change of the ranges. */
    private static final int LATER = 200;

    public static void main(String[] args) throws Exception {
        CosmosAsyncClient client = Shop.builder().buildAsyncClient();
        String kind = args.length > 1 ? args[1] : "";
        switch (args[0]) {
            case "fill" -> fill(client);
            case "first" -> first(client, kind, Path.of(args[2]));
            case "second" -> second(client, kind, Path.of(args[2]));
            default -> throw new IllegalArgumentException(args[0]);
        }
        client.close();
        System.exit(0);
    }

    private static CosmosAsyncContainer container(CosmosAsyncClient client, String name) {
        return client.getDatabase("javashop").getContainer(name);
    }

    private static void fill(CosmosAsyncClient client) {
        client.createDatabaseIfNotExists("javashop").block();
        for (String name : List.of("prices", "leases-pk", "leases-epk")) {
            client.getDatabase("javashop")
                .createContainerIfNotExists(new CosmosContainerProperties(name, "/id")).block();
        }
        write(client, "j-", 0, DOCUMENTS);
        System.err.println("ok   java: " + DOCUMENTS + " documents written");
    }

    private static void write(CosmosAsyncClient client, String prefix, int from, int count) {
        Flux.range(from, count).flatMap(n -> {
            ObjectNode item = JsonNodeFactory.instance.objectNode().put("id", prefix + n).put("price", n);
            return container(client, "prices").upsertItem(item);
        }, 16).blockLast();
    }

    private static ChangeFeedProcessor processor(
            CosmosAsyncClient client, String kind, String host, Set<String> seen, Map<String, Integer> by) {
        ChangeFeedProcessorOptions options = new ChangeFeedProcessorOptions()
            .setStartFromBeginning(true).setMaxItemCount(100).setFeedPollDelay(Duration.ofMillis(100))
            .setLeaseAcquireInterval(Duration.ofSeconds(1)).setLeaseRenewInterval(Duration.ofSeconds(1))
            .setLeaseExpirationInterval(Duration.ofSeconds(4));
        ChangeFeedProcessorBuilder builder = new ChangeFeedProcessorBuilder().hostName(host)
            .feedContainer(container(client, "prices")).leaseContainer(container(client, "leases-" + kind))
            .options(options);
        if (kind.equals("pk")) {
            builder.handleChanges(items -> items.forEach(item -> note(item, host, seen, by)));
        } else {
            builder.handleLatestVersionChanges(items -> items.forEach(i -> note(i.getCurrent(), host, seen, by)));
        }
        return builder.buildChangeFeedProcessor();
    }

    private static Writer delivered;

    private static synchronized void note(JsonNode item, String host, Set<String> seen, Map<String, Integer> by) {
        String id = item.get("id").asText();
        try {
            if (delivered != null) {
                delivered.write(id + "\n");
                delivered.flush();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        seen.add(id);
        by.merge(host, 1, Integer::sum);
    }

    private static void first(CosmosAsyncClient client, String kind, Path file) throws Exception {
        Set<String> seen = ConcurrentHashMap.newKeySet();
        Map<String, Integer> by = new ConcurrentHashMap<>();
        // Written before the handler returns, hence before the checkpoint.
        delivered = Files.newBufferedWriter(file);
        processor(client, kind, "java-1", seen, by).start().block();
        until("a third is delivered", () -> seen.size() >= DOCUMENTS / 3);
        System.err.println("ok   java: " + kind + " processor makes its leases; killed after " + seen.size());
        Runtime.getRuntime().halt(0);
    }

    private static void second(CosmosAsyncClient client, String kind, Path file) throws Exception {
        Set<String> seen = ConcurrentHashMap.newKeySet();
        seen.addAll(Files.readAllLines(file));
        Set<String> after = ConcurrentHashMap.newKeySet();
        Map<String, Integer> by = new ConcurrentHashMap<>();
        ChangeFeedProcessor one = processor(client, kind, "java-2", after, by);
        ChangeFeedProcessor two = processor(client, kind, "java-3", after, by);
        one.start().block();
        two.start().block();
        until("more is delivered", () -> !after.isEmpty());
        // Each kind has ranges of its own to split: 0 becomes 4 and 5, which become 6; 1 becomes 7 and 8.
        Shop.split("javashop", "prices", kind.equals("epk") ? 0 : 1);
        write(client, "s-" + kind + "-", 0, LATER);
        if (kind.equals("epk")) Shop.merge("javashop", "prices", 4, 5);
        write(client, "s-" + kind + "-", LATER, LATER);
        Set<String> missing = new HashSet<>();
        for (int n = 0; n < DOCUMENTS; n += 1) missing.add("j-" + n);
        for (int n = 0; n < 2 * LATER; n += 1) missing.add("s-" + kind + "-" + n);
        missing.removeAll(seen);
        until("all is delivered", () -> {
            missing.removeAll(after);
            return missing.isEmpty();
        }, () -> missing.size() + " are missing, such as " + missing.stream().findFirst());
        until("the leases are shared", () -> {
            Map<String, Integer> owners = owners(client, kind);
            return owners.size() == 2 && owners.containsKey("java-2") && owners.containsKey("java-3");
        });
        System.err.println("ok   java: " + kind + " processor resumes, two share the work, "
            + (kind.equals("epk") ? "a split and a merge lose" : "a split loses") + " nothing: "
            + after.size() + " after the restart, by " + by + ", leases " + owners(client, kind));
        if (after.size() >= DOCUMENTS) throw new IllegalStateException("it began again instead of resuming");
        one.stop().block();
        two.stop().block();
    }

    private static Map<String, Integer> owners(CosmosAsyncClient client, String kind) {
        Map<String, Integer> owners = new HashMap<>();
        container(client, "leases-" + kind)
            .queryItems("SELECT * FROM c WHERE IS_DEFINED(c.LeaseToken)", new CosmosQueryRequestOptions(), JsonNode.class)
            .toStream().forEach(l -> owners.merge(l.path("Owner").asText("nobody"), 1, Integer::sum));
        return owners;
    }

    private static void until(String what, BooleanSupplier holds) throws InterruptedException {
        until(what, holds, () -> "");
    }

    private static void until(String what, BooleanSupplier holds, Supplier<String> instead) throws InterruptedException {
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() > end) throw new IllegalStateException("never: " + what + ": " + instead.get());
            Thread.sleep(20);
        }
    }
}
