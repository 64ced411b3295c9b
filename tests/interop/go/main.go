// The Cosmos SDK of Go, unmodified, against SYNCSCOPE_COSMOS (a connection string): documents, PATCH, batches,
// queries within a partition, throughput. It has no change feed and no queries over partitions.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/azcosmos"
)

var ctx = context.Background()

type item = map[string]any

// must ends a check with its error; check turns it into the one line.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func same(found, expected any) {
	if !reflect.DeepEqual(found, expected) {
		panic(fmt.Errorf("\n  found    %v\n  expected %v", found, expected))
	}
}

func refused(status int, err error) {
	var response *azcore.ResponseError
	if !errors.As(err, &response) || response.StatusCode != status {
		panic(fmt.Errorf("not refused with %d: %w", status, err))
	}
}

func check(name string, body func()) {
	began := time.Now()
	defer func() {
		if failed := recover(); failed != nil {
			fmt.Printf("FAIL go: %s: %v\n", name, failed)
			os.Exit(1)
		}
	}()
	body()
	fmt.Printf("ok   go: %s (%d ms)\n", name, time.Since(began).Milliseconds())
}

func text(value any) []byte { return must(json.Marshal(value)) }

func parsed(body []byte) item {
	var value item
	if err := json.Unmarshal(body, &value); err != nil {
		panic(err)
	}
	return value
}

func key(id string) azcosmos.PartitionKey { return azcosmos.NewPartitionKeyString(id) }

func ifMatch(etag azcore.ETag) *azcosmos.ItemOptions {
	return &azcosmos.ItemOptions{IfMatchEtag: &etag}
}

func read(container *azcosmos.ContainerClient, id string) item {
	return parsed(must(container.ReadItem(ctx, key(id), id, nil)).Value)
}

func documents(container *azcosmos.ContainerClient) {
	check("create, read, replace, delete with If-Match", func() {
		made := must(container.CreateItem(ctx, key("p-1"), text(item{"id": "p-1", "price": 12.5}), nil))
		_, err := container.CreateItem(ctx, key("p-1"), text(item{"id": "p-1"}), nil)
		refused(409, err)
		next := text(item{"id": "p-1", "price": 13})
		replaced := must(container.ReplaceItem(ctx, key("p-1"), "p-1", next, ifMatch(made.ETag)))
		_, err = container.ReplaceItem(ctx, key("p-1"), "p-1", next, ifMatch(made.ETag))
		refused(412, err)
		_, err = container.UpsertItem(ctx, key("p-1"), next, ifMatch(made.ETag))
		refused(412, err)
		_, err = container.DeleteItem(ctx, key("p-1"), "p-1", ifMatch(made.ETag))
		refused(412, err)
		same(len(replaced.Value), 0) // this SDK asks for no content
		same(read(container, "p-1")["price"], 13.0)
		must(container.DeleteItem(ctx, key("p-1"), "p-1", ifMatch(replaced.ETag)))
		_, err = container.ReadItem(ctx, key("p-1"), "p-1", nil)
		refused(404, err)
	})
	check("odd ids", func() {
		// Beyond the basic plane this SDK writes keys that are not JSON.
		for _, id := range []string{"a b", "100%", "it's", "سعر", "x==..0", "a+b&c=d;", "..x"} {
			must(container.UpsertItem(ctx, key(id), text(item{"id": id}), nil))
			same(read(container, id)["id"], id)
			must(container.DeleteItem(ctx, key(id), id, nil))
		}
	})
	check("PATCH: add, set, replace, remove, increment; a condition", func() {
		must(container.UpsertItem(ctx, key("p-2"), text(item{"id": "p-2", "price": 1, "tags": []string{"a"}, "old": 1}), nil))
		patch := azcosmos.PatchOperations{}
		patch.AppendIncrement("/price", 2)
		patch.AppendAdd("/tags/-", "b")
		patch.AppendSet("/stock", item{"count": 7})
		patch.AppendReplace("/stock/count", 8)
		patch.AppendRemove("/old")
		patch.SetCondition("from c where c.price = 1")
		must(container.PatchItem(ctx, key("p-2"), "p-2", patch, nil))
		found := read(container, "p-2")
		same([]any{found["price"], found["tags"], found["stock"], found["old"]},
			[]any{3.0, []any{"a", "b"}, item{"count": 8.0}, nil})
		_, err := container.PatchItem(ctx, key("p-2"), "p-2", patch, nil)
		refused(412, err)
	})
	check("transactional batch: all or nothing", func() {
		batch := container.NewTransactionalBatch(key("b-1"))
		batch.CreateItem(text(item{"id": "b-1", "n": 1}), nil)
		batch.ReplaceItem("b-1", text(item{"id": "b-1", "n": 5}), nil)
		batch.ReadItem("b-1", nil)
		same(statuses(must(container.ExecuteTransactionalBatch(ctx, batch, nil))), []int32{201, 200, 200})
		failing := container.NewTransactionalBatch(key("b-1"))
		failing.UpsertItem(text(item{"id": "b-1", "n": 6}), nil)
		failing.CreateItem(text(item{"id": "b-1"}), nil)
		failed := must(container.ExecuteTransactionalBatch(ctx, failing, nil))
		same(failed.Success, false)
		same(statuses(failed), []int32{424, 409})
		same(read(container, "b-1")["n"], 5.0)
	})
}

func statuses(response azcosmos.TransactionalBatchResponse) []int32 {
	var all []int32
	for _, result := range response.OperationResults {
		all = append(all, result.StatusCode)
	}
	return all
}

func queries(database *azcosmos.DatabaseClient) {
	check("queries within a partition: parameters, ORDER BY, COUNT, GROUP BY, pages", func() {
		definition := azcosmos.PartitionKeyDefinition{Paths: []string{"/kind"}, Version: 2}
		properties := azcosmos.ContainerProperties{ID: "kinds", PartitionKeyDefinition: definition}
		must(database.CreateContainer(ctx, properties, nil))
		container := must(database.NewContainer("kinds"))
		for n := 0; n < 20; n++ {
			body := text(item{"id": fmt.Sprintf("k-%d", n), "kind": "lamp", "n": n, "even": n%2 == 0})
			must(container.CreateItem(ctx, key("lamp"), body, nil))
		}
		rows := func(query string, value any) (all []any, pages int) {
			options := &azcosmos.QueryOptions{PageSizeHint: 6, QueryParameters: []azcosmos.QueryParameter{{Name: "@x", Value: value}}}
			pager := container.NewQueryItemsPager(query, key("lamp"), options)
			for pager.More() {
				pages++
				for _, row := range must(pager.NextPage(ctx)).Items {
					var value any
					if err := json.Unmarshal(row, &value); err != nil {
						panic(err)
					}
					all = append(all, value)
				}
			}
			return all, pages
		}
		found, _ := rows("SELECT VALUE c.n FROM c WHERE c.n >= @x ORDER BY c.n DESC", 17)
		same(found, []any{19.0, 18.0, 17.0})
		found, _ = rows(`SELECT VALUE COUNT(1) FROM c WHERE c.kind = "lamp"`, nil)
		same(found, []any{20.0})
		found, _ = rows("SELECT c.even, SUM(c.n) AS total FROM c WHERE c.even GROUP BY c.even", nil)
		same(found, []any{item{"even": true, "total": 90.0}})
		found, pages := rows("SELECT * FROM c", nil)
		same([]int{len(found), pages}, []int{20, 4})
	})
}

func administration(client *azcosmos.Client, database *azcosmos.DatabaseClient) {
	check("containers and databases: throughput, TTL, query, delete; a wrong key", func() {
		ttl := int32(-1)
		definition := azcosmos.PartitionKeyDefinition{Paths: []string{"/id"}}
		properties := azcosmos.ContainerProperties{ID: "paid", PartitionKeyDefinition: definition, DefaultTimeToLive: &ttl}
		manual := azcosmos.NewManualThroughputProperties
		throughput := manual(400)
		must(database.CreateContainer(ctx, properties, &azcosmos.CreateContainerOptions{ThroughputProperties: &throughput}))
		paid := must(database.NewContainer("paid"))
		same(*must(paid.Read(ctx, nil)).ContainerProperties.DefaultTimeToLive, ttl)
		now := func() int32 {
			read := must(paid.ReadThroughput(ctx, nil))
			units, _ := read.ThroughputProperties.ManualThroughput()
			return units
		}
		same(now(), int32(400))
		must(paid.ReplaceThroughput(ctx, manual(1000), nil))
		same(now(), int32(1000))
		pager := database.NewQueryContainersPager("SELECT * FROM c WHERE c.id = 'paid'", nil)
		same(len(must(pager.NextPage(ctx)).Containers), 1)
		must(paid.Delete(ctx, nil))
		must(database.Delete(ctx, nil))
		_, err := database.Read(ctx, nil)
		refused(404, err)
		wrong := must(azcosmos.NewKeyCredential("d3Jvbmc="))
		stranger := must(azcosmos.NewClientWithKey(client.Endpoint(), wrong, nil))
		_, err = stranger.CreateDatabase(ctx, azcosmos.DatabaseProperties{ID: "no"}, nil)
		// Told in words: the account is read first.
		same(err != nil && strings.Contains(err.Error(), "401 Unauthorized"), true)
	})
}

func main() {
	client := must(azcosmos.NewClientFromConnectionString(os.Getenv("SYNCSCOPE_COSMOS"), nil))
	id := fmt.Sprintf("go-%d", time.Now().UnixNano())
	must(client.CreateDatabase(ctx, azcosmos.DatabaseProperties{ID: id}, nil))
	database := must(client.NewDatabase(id))
	definition := azcosmos.PartitionKeyDefinition{Paths: []string{"/id"}, Version: 2}
	must(database.CreateContainer(ctx, azcosmos.ContainerProperties{ID: "prices", PartitionKeyDefinition: definition}, nil))
	documents(must(database.NewContainer("prices")))
	queries(database)
	administration(client, database)
}
