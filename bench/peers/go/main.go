// Counts sale events into Redis hashes as one would by hand in Go: franz-go, go-json, go-redis.
// At least once: the sums go to Redis in a transaction once a second, then offsets are committed.
// Nothing is validated, nothing is looked at twice.
//
//	gopeer BROKERS TOPIC COUNT REDIS-HOST:PORT
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	json "github.com/goccy/go-json"
	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kgo"
)

type event struct {
	Time string `json:"time"`
	Data struct {
		Region        string `json:"region"`
		Rep           string `json:"rep"`
		Channel       string `json:"channel"`
		Currency      string `json:"currency"`
		Net           int64  `json:"net"`
		Discount      int64  `json:"discount"`
		Cost          int64  `json:"cost"`
		Units         int64  `json:"units"`
		WarrantyUnits int64  `json:"warranty_units"`
	} `json:"data"`
}

type place struct{ day, dimension, value, currency string }

type sums struct{ orders, units, warranty, net, discount, cost int64 }

func flush(ctx context.Context, rc *redis.Client, acc map[place]*sums) {
	p := rc.TxPipeline()
	for k, v := range acc {
		key := "peer:sale:day:" + k.day + ":" + k.dimension + k.value
		add := func(field string, n int64) {
			if n != 0 {
				p.HIncrBy(ctx, key, field, n)
			}
		}
		add("orders", v.orders)
		add("units", v.units)
		add("warranty_units", v.warranty)
		add("orders:"+k.currency, v.orders)
		add("revenue:"+k.currency, v.net)
		add("profit:"+k.currency, v.net-v.cost)
		add("net:"+k.currency, v.net)
		add("net_costed:"+k.currency, v.net)
		add("cost:"+k.currency, v.cost)
		add("discount:"+k.currency, v.discount)
	}
	if _, err := p.Exec(ctx); err != nil {
		panic(err)
	}
}

func add(acc map[place]*sums, k place, e *event) {
	v := acc[k]
	if v == nil {
		v = new(sums)
		acc[k] = v
	}
	v.orders++
	v.units += e.Data.Units
	v.warranty += e.Data.WarrantyUnits
	v.net += e.Data.Net
	v.discount += e.Data.Discount
	v.cost += e.Data.Cost
}

func main() {
	total, _ := strconv.Atoi(os.Args[3])
	ctx := context.Background()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(os.Args[1]),
		kgo.ConsumeTopics(os.Args[2]),
		kgo.ConsumerGroup(fmt.Sprint("go", time.Now().UnixNano())),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.FetchMaxPartitionBytes(8<<20))
	if err != nil {
		panic(err)
	}
	rc := redis.NewClient(&redis.Options{Addr: os.Args[4]})
	acc := map[place]*sums{}
	n := 0
	var first time.Time
	last := time.Now()
	for n < total {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			if n == 0 {
				first = time.Now()
				last = first
			}
			var e event
			if err := json.Unmarshal(r.Value, &e); err != nil {
				panic(err)
			}
			day, d := e.Time[:10], &e.Data
			add(acc, place{day, "all", "", d.Currency}, &e)
			add(acc, place{day, "region=", d.Region, d.Currency}, &e)
			add(acc, place{day, "channel=", d.Channel, d.Currency}, &e)
			add(acc, place{day, "rep=", d.Rep, d.Currency}, &e)
			n++
		})
		if time.Since(last) > time.Second {
			flush(ctx, rc, acc)
			acc = map[place]*sums{}
			if err := client.CommitUncommittedOffsets(ctx); err != nil {
				panic(err)
			}
			last = time.Now()
		}
	}
	flush(ctx, rc, acc)
	fmt.Printf("events %d seconds %.3f\n", n, time.Since(first).Seconds())
}
