using System.Text.Json;
using System.Text.Json.Nodes;
using Dashboard.Domain;
using Dashboard.Domain.Jobs;
using Microsoft.Extensions.Options;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>Makes what is uploaded for an attempt: the runner's files, the specification and, for a command, its script.</summary>
public sealed class RunBundles(IOptions<DeadManOptions> deadMan)
{
    private const string Root = "/workspace/.gd/";

    /// <summary>How long the program gets between being asked to stop and being killed, seconds.</summary>
    private const int GraceSeconds = 120;

    private const int LogLimitMb = 256;

    /// <summary>Where an attempt lives on its machine.</summary>
    public static string RootOf(AttemptId attempt) => Root + attempt.Value.ToString("N");

    /// <param name="resume">The checkpoint to go on from, as it lies at home; null begins anew.</param>
    public RunBundle For(Job job, Attempt attempt, CheckpointAtHome? resume = null)
    {
        var files = new List<(string, string)>();
        foreach (var name in RunnerFiles.Names.Where(n => n != "bootstrap.sh"))
        {
            files.Add((name, RunnerFiles.Read(name)));
        }

        if (job.Spec.Command is { } command)
        {
            files.Add(("script.sh", command.Script.ReplaceLineEndings("\n")));
        }

        files.Add(("spec.json", Spec(job, attempt)));
        return new RunBundle(RootOf(attempt.Id), files, deadMan.Value.Lease)
        {
            Carried = [.. (resume?.Files ?? []).Select(f => f with { Path = $"resume/{f.Path}" })],
        };
    }

    /// <summary>The person's specification in the machine's words, with the attempt's own keys.</summary>
    private string Spec(Job job, Attempt attempt)
    {
        var spec = JsonSerializer.SerializeToNode(job.Spec, TrainingSpec.Json)!.AsObject();
        spec.Remove("image");
        spec.Remove("disk_gb");
        spec["attempt"] = attempt.Number;
        spec["job"] = job.Number;
        if (job.Spec.Command is { } command)
        {
            spec["backend"] = "command";
            spec["command"] = new JsonObject { ["script"] = "script.sh", ["collect"] = new JsonArray([.. command.Collect.Select(c => (JsonNode)c)]) };
        }

        spec["limits"] = new JsonObject
        {
            ["max_runtime_s"] = job.Limits.MaxRuntime is { } limit ? (int)limit.TotalSeconds : null,
            ["grace_s"] = GraceSeconds,
            ["lease_s"] = (int)deadMan.Value.Lease.TotalSeconds,
            ["dead_man_s"] = (int)deadMan.Value.After.TotalSeconds,
            ["log_mb"] = LogLimitMb,
        };
        return spec.ToJsonString();
    }
}
