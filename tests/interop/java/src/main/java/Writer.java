import com.azure.cosmos.CosmosContainer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Writes ever newer versions of some documents, in four threads, until stopped; knows the last of each. */
final class Writer {
    private static final int LANES = 4;
    final Map<String, Integer> last = new ConcurrentHashMap<>();
    final AtomicInteger writes = new AtomicInteger();
    private final CosmosContainer container;
    private final int ids;
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean stopped;
    private volatile Throwable failed;

    Writer(CosmosContainer container, int ids) {
        this.container = container;
        this.ids = ids;
        for (int n = 0; n < ids; n += 1) write(n);
    }

    private void write(int n) {
        String id = "w-" + n;
        int version = last.getOrDefault(id, 0) + 1;
        container.upsertItem(Shop.json("{'id':'%s','version':%d}", id, version));
        last.put(id, version);
        writes.incrementAndGet();
    }

    /** Each lane has its own documents: a document's versions are written in order. */
    void start() {
        for (int lane = 0; lane < LANES; lane += 1) {
            int first = lane;
            Thread thread = new Thread(() -> {
                try {
                    for (int n = first; !stopped; n = n + LANES < ids ? n + LANES : first) write(n);
                } catch (Throwable e) {
                    failed = e;
                }
            });
            threads.add(thread);
            thread.start();
        }
    }

    void stop() throws Exception {
        stopped = true;
        for (Thread thread : threads) thread.join();
        if (failed != null) throw new IllegalStateException("a write failed", failed);
    }
}
