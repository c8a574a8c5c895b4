package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/dapr/durabletask-go/backend"
	"github.com/dapr/durabletask-go/client"
	"github.com/dapr/durabletask-go/task"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// work runs workflows for the sidecar until ctx ends, however often the sidecar
// goes away.
func work(ctx context.Context) {
	for ctx.Err() == nil {
		if err := listen(ctx); err != nil {
			log.Printf("no workflows yet: %v", err)
			time.Sleep(time.Second)
			continue
		}
		<-ctx.Done()
	}
}

func listen(ctx context.Context) error {
	registry := task.NewTaskRegistry()
	if err := registry.AddOrchestratorN("relay", relay); err != nil {
		return err
	}
	if err := registry.AddActivityN("sign", sign); err != nil {
		return err
	}
	conn, err := grpc.NewClient("127.0.0.1:50001", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	return client.NewTaskHubGrpcClient(conn, backend.DefaultLogger()).StartWorkItemListener(ctx, registry)
}

// relay signs, waits for the event "resume", signs again, and answers with both
// signatures: who did the first and who did the second part.
func relay(ctx *task.OrchestrationContext) (any, error) {
	var first, second string
	if err := ctx.CallActivity("sign").Await(&first); err != nil {
		return nil, err
	}
	ctx.SetCustomStatus(first)
	if err := ctx.WaitForSingleEvent("resume", 10*time.Minute).Await(nil); err != nil {
		return nil, err
	}
	if err := ctx.CallActivity("sign").Await(&second); err != nil {
		return nil, err
	}
	return []string{first, second}, nil
}

// sign names the pod and the time, which no second run would repeat.
func sign(task.ActivityContext) (any, error) {
	return os.Getenv("HOSTNAME") + " " + time.Now().UTC().Format(time.RFC3339Nano), nil
}
