// Counts sale events into Redis hashes with Kafka Streams, tuned by hand: one processor, sums in a
// map, and once a second into the state store (with its changelog) and to Redis in a pipeline.
// exactly_once_v2 covers the store and the offsets; the writes to Redis are at least once.
//
//     Peer BROKERS TOPIC COUNT REDIS-HOST:PORT
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;

public class Peer {
    static final ObjectMapper JSON = new ObjectMapper();
    static final int SUMS = 6; // orders, units, warranty units, net, discount, cost
    static final LongAdder flushed = new LongAdder();
    static volatile long first, last;

    static class Counter implements Processor<byte[], byte[], Void, Void> {
        final String host;
        final int port;
        final Map<String, long[]> dirty = new HashMap<>();
        KeyValueStore<String, byte[]> store;
        Jedis redis;
        long waiting;

        Counter(String host, int port) {
            this.host = host;
            this.port = port;
        }

        public void init(ProcessorContext<Void, Void> context) {
            store = context.getStateStore("sums");
            redis = new Jedis(host, port);
            context.schedule(Duration.ofSeconds(1), PunctuationType.WALL_CLOCK_TIME, t -> flush());
        }

        static void add(Pipeline p, String key, String field, long value) {
            if (value != 0) p.hincrBy(key, field, value);
        }

        void flush() {
            if (dirty.isEmpty()) return;
            Pipeline p = redis.pipelined();
            for (var entry : dirty.entrySet()) {
                long[] v = entry.getValue();
                int cut = entry.getKey().lastIndexOf('|');
                String key = "peer:sale:day:" + entry.getKey().substring(0, cut);
                String c = ":" + entry.getKey().substring(cut + 1);
                add(p, key, "orders", v[0]);
                add(p, key, "units", v[1]);
                add(p, key, "warranty_units", v[2]);
                add(p, key, "orders" + c, v[0]);
                add(p, key, "revenue" + c, v[3]);
                add(p, key, "profit" + c, v[3] - v[5]);
                add(p, key, "net" + c, v[3]);
                add(p, key, "net_costed" + c, v[3]);
                add(p, key, "cost" + c, v[5]);
                add(p, key, "discount" + c, v[4]);
                keep(entry.getKey(), v);
            }
            p.sync();
            dirty.clear();
            flushed.add(waiting);
            waiting = 0;
            last = System.nanoTime();
        }

        void keep(String key, long[] more) {
            byte[] before = store.get(key);
            ByteBuffer old = before == null ? ByteBuffer.allocate(8 * SUMS) : ByteBuffer.wrap(before);
            ByteBuffer now = ByteBuffer.allocate(8 * SUMS);
            for (int i = 0; i < SUMS; i++) now.putLong(old.getLong() + more[i]);
            store.put(key, now.array());
        }

        public void process(Record<byte[], byte[]> record) {
            if (first == 0) first = System.nanoTime();
            try {
                JsonNode event = JSON.readTree(record.value()), d = event.get("data");
                String day = event.get("time").asText().substring(0, 10);
                String c = "|" + d.get("currency").asText();
                long units = d.get("units").asLong(), warranty = d.path("warranty_units").asLong();
                long net = d.get("net").asLong(), discount = d.path("discount").asLong();
                long cost = d.get("cost").asLong();
                String[] scopes = {
                    day + ":all" + c,
                    day + ":region=" + d.get("region").asText() + c,
                    day + ":channel=" + d.get("channel").asText() + c,
                    day + ":rep=" + d.get("rep").asText() + c};
                for (String scope : scopes) {
                    long[] v = dirty.computeIfAbsent(scope, x -> new long[SUMS]);
                    v[0]++;
                    v[1] += units;
                    v[2] += warranty;
                    v[3] += net;
                    v[4] += discount;
                    v[5] += cost;
                }
            } catch (IOException e) {
                throw new RuntimeException(e);
            }
            waiting++;
        }

        public void close() {
            redis.close();
        }
    }

    static Properties settings(String brokers) throws IOException {
        Properties p = new Properties();
        p.put("application.id", "peer-" + System.currentTimeMillis());
        p.put("bootstrap.servers", brokers);
        p.put("processing.guarantee", "exactly_once_v2");
        p.put("num.stream.threads", "2");
        p.put("auto.offset.reset", "earliest");
        p.put("statestore.cache.max.bytes", "268435456");
        p.put("commit.interval.ms", "1000");
        p.put("replication.factor", "1");
        p.put("state.dir", Files.createTempDirectory("peer-state").toString());
        p.put("consumer.fetch.max.bytes", "52428800");
        p.put("consumer.max.partition.fetch.bytes", "8388608");
        p.put("consumer.max.poll.records", "10000");
        p.put("producer.linger.ms", "50");
        p.put("producer.batch.size", "262144");
        return p;
    }

    public static void main(String[] args) throws Exception {
        long total = Long.parseLong(args[2]);
        String[] address = args[3].split(":");
        Topology t = new Topology();
        t.addSource("in", new ByteArrayDeserializer(), new ByteArrayDeserializer(), args[1]);
        t.addProcessor("sum", () -> new Counter(address[0], Integer.parseInt(address[1])), "in");
        t.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("sums"),
                                                    Serdes.String(), Serdes.ByteArray()), "sum");
        KafkaStreams streams = new KafkaStreams(t, settings(args[0]));
        streams.start();
        while (flushed.sum() < total) Thread.sleep(20);
        System.out.printf("events %d seconds %.3f%n", flushed.sum(), (last - first) / 1e9);
        System.out.flush();
        Runtime.getRuntime().halt(0); // the end of its threads is not what is measured
    }
}
