using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Web.Features.Jobs;

/// <summary>What the form, the API and imported specs may ask for. Each problem names its field.</summary>
public static class JobRequestValidator
{
    public static IReadOnlyList<FieldProblem> Problems(JobRequest request)
    {
        var problems = new List<FieldProblem>();
        void Check(bool holds, string field, string message)
        {
            if (!holds)
            {
                problems.Add(new FieldProblem(field, message));
            }
        }

        Check(!string.IsNullOrWhiteSpace(request.Name), "Name", "Give the job a name, so that others recognise it.");
        Check(request.Name is null || request.Name.Length <= 80, "Name", "Use at most 80 characters.");
        Check(request.Tags.Count <= 20 && request.Tags.All(t => t.Length is > 0 and <= 40), "Tags", "Use at most 20 tags of at most 40 characters.");
        Check(request.IdempotencyKey is null or { Length: > 0 and <= 120 }, "IdempotencyKey", "Use 1 to 120 characters.");

        Check(request.FinishWithin is null || (request.FinishWithin > TimeSpan.Zero && request.FinishWithin <= TimeSpan.FromDays(60)), "FinishWithin", "Enter a time of at most 60 days, or leave it empty.");
        Limits(request.Limits, Check);
        Order(request, Check);
        Needs(request.Needs, Check);
        Spec(request.Spec, Check);
        return problems;
    }

    private static void Limits(JobLimits limits, Action<bool, string, string> check)
    {
        check(limits.MaxCost is null || limits.MaxCost > Money.Zero, "Limits.MaxCost", "Enter an amount above $0.00, or leave it empty.");
        check(limits.MaxRate is null || limits.MaxRate > HourlyRate.Zero, "Limits.MaxRate", "Enter a rate above $0.000/h, or leave it empty.");
        check(limits.MaxRuntime is null || (limits.MaxRuntime > TimeSpan.Zero && limits.MaxRuntime <= TimeSpan.FromDays(30)), "Limits.MaxRuntime", "Enter a time of at most 30 days, or leave it empty.");
        check(limits.MaxAttempts is >= 1 and <= 20, "Limits.MaxAttempts", "Try 1 to 20 machines.");
        check(limits.Bid?.Bid is null or { MicrosPerHour: >= 1_000 and <= 128_000_000 }, "Limits.Bid.Bid", "Bid $0.001/h to $128/h, or leave it empty.");
        check(limits.Bid?.Bid is null || limits.MaxRate is null || limits.Bid.Bid <= limits.MaxRate, "Limits.Bid.Bid", "Bid at most what the job may cost per hour.");
        check(limits.Bid?.OnDemandAfter is null or (>= 1 and <= 20), "Limits.Bid.OnDemandAfter", "Go on on demand after 1 to 20 interruptions.");
        Tries(limits.Retry.Capacity, "Limits.Retry.Capacity", check);
        Tries(limits.Retry.Machine, "Limits.Retry.Machine", check);
        Tries(limits.Retry.Interruption, "Limits.Retry.Interruption", check);
        Tries(limits.Retry.Script, "Limits.Retry.Script", check);
        var silence = limits.Health.NoStepFor;
        check(silence is null || silence == TimeSpan.Zero || (silence >= TimeSpan.FromMinutes(1) && silence <= TimeSpan.FromDays(1)), "Limits.Health.NoStepFor", "Enter 1 minute to 24 hours, 0 for never, or leave it empty.");
        check(limits.Health.MaxLoss is null || (double.IsFinite(limits.Health.MaxLoss.Value) && limits.Health.MaxLoss > 0), "Limits.Health.MaxLoss", "Enter a loss above 0, or leave it empty.");
    }

    private static void Order(JobRequest request, Action<bool, string, string> check)
    {
        if (request.Order is not { } order)
        {
            return;
        }

        check(order.Limit > HourlyRate.Zero, "Order.Limit", "Enter what an hour may cost at most, for example 0.35.");
        check(!(request.Limits.MaxRate < order.Limit), "Order.Limit", "Wait for at most what the job may cost per hour.");
        check(order.GoodFor is null || (order.GoodFor > TimeSpan.Zero && order.GoodFor <= PriceOrderRules.Longest), "Order.GoodFor", "Enter a time of at most 60 days, or leave it empty.");
        check(!(request.FinishWithin <= order.GoodFor), "Order.GoodFor", "It has to start before it has to be done.");
        check(Enum.IsDefined(order.Then), "Order.Then", "Choose what happens after that time.");
        check(!(order.Limit > HourlyRate.Zero && request.Limits.Bid?.Bid >= order.Limit), "Limits.Bid.Bid", "Bid less than the price the job waits for: disk is part of that.");
    }

    private static void Tries(int tries, string field, Action<bool, string, string> check) => check(tries is >= 0 and <= 20, field, "Try 0 to 20 times more.");

    private static void Needs(MachineNeeds needs, Action<bool, string, string> check)
    {
        check(needs.GpuCount is >= 1 and <= 16, "Needs.GpuCount", "Ask for 1 to 16 GPUs.");
        check(needs.MinVramMb is null or (>= 1 and <= 2_000_000), "Needs.MinVramMb", "Enter memory in megabytes, for example 24000.");
        check(needs.MinReliability is null or (>= 0 and <= 1), "Needs.MinReliability", "Enter a share from 0 to 1.");
        check(needs.GpuNames.Count <= 40, "Needs.GpuNames", "Name at most 40 GPU models.");
    }

    private static void Spec(TrainingSpec spec, Action<bool, string, string> check)
    {
        check(spec.V == 1, "Spec.V", "This dashboard knows version 1 of the specification.");
        check(spec.Preset is Presets.Smoke or Presets.Command, "Spec.Preset", $"Choose \"{Presets.Smoke}\" or \"{Presets.Command}\".");
        check(spec.DiskGb is >= 8 and <= 4000, "Spec.DiskGb", "Rent 8 to 4,000 GB of disk; it cannot be changed later.");
        check(!string.IsNullOrWhiteSpace(spec.Image) && spec.Image.Length <= 1024, "Spec.Image", "Name a container image, for example python:3.12-slim.");
        check(spec.PaceS is >= 0 and <= 60, "Spec.PaceS", "Pause 0 to 60 seconds a step.");
        if (spec.Preset == Presets.Command)
        {
            Command(spec.Command, check);
            return;
        }

        check(spec.Command is null, "Spec.Command", "Only the custom command preset runs a script.");
        check(spec.Backend is "auto" or "stdlib", "Spec.Backend", "The smoke test runs with \"auto\" or \"stdlib\".");
        check(spec.Train.MaxSteps is >= 1 and <= 100_000, "Spec.Train.MaxSteps", "Train 1 to 100,000 steps.");
        check(spec.Train.Batch is >= 1 and <= 4096, "Spec.Train.Batch", "Use a batch of 1 to 4,096.");
        check(spec.Train.Lr is > 0 and <= 1, "Spec.Train.Lr", "Use a learning rate above 0 and at most 1.");
        check(spec.Method.R is >= 1 and <= 256, "Spec.Method.R", "Use a rank of 1 to 256.");
        check(spec.Save.Steps is >= 1 and <= 100_000, "Spec.Save.Steps", "Save every 1 to 100,000 steps.");
        check(spec.Save.Keep is >= 1 and <= 100, "Spec.Save.Keep", "Keep 1 to 100 checkpoints.");
        check(spec.Eval.Steps is >= 1 and <= 100_000, "Spec.Eval.Steps", "Evaluate every 1 to 100,000 steps.");
    }

    private static void Command(CommandSpec? command, Action<bool, string, string> check)
    {
        check(!string.IsNullOrWhiteSpace(command?.Script), "Spec.Command.Script", "Write the commands to run, one per line.");
        check((command?.Script.Length ?? 0) <= 65_536, "Spec.Command.Script", "Use at most 64 KB; fetch larger programs from inside the script.");
        var collect = command?.Collect ?? [];
        check(collect.Count <= 100, "Spec.Command.Collect", "Name at most 100 files or patterns.");
        foreach (var path in collect)
        {
            var safe = path.Length is > 0 and <= 400 && path[0] != '/' && !path.Split('/').Contains("..") && !path.Any(char.IsControl);
            check(safe, "Spec.Command.Collect", $"\"{path}\" has to be a path below the working directory, without \"..\".");
        }
    }
}
