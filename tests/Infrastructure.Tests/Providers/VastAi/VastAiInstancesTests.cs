using System.Text.Json;
using System.Text.Json.Nodes;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Providers.VastAi;

namespace Dashboard.Infrastructure.Tests.Providers.VastAi;

public sealed class VastAiInstancesTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Asked = At.AddSeconds(-0.2);

    [Fact]
    public void The_documented_row_is_read_exactly()
    {
        var instance = Read();

        Assert.Equal("51880423", instance.ContractId);
        Assert.Equal(Sample.Label, instance.Label);
        Assert.Equal(ObservedStatus.Running, instance.Status);
        Assert.Equal("success, running pytorch/pytorch_2.4.0-cuda12.4-cudnn9-runtime/ssh", instance.Message);
        Assert.False(instance.FatalMessage);
        Assert.Equal(new HourlyRate(361_200), instance.GpuRate);
        Assert.Equal(new HourlyRate(8_333), instance.DiskRate);
        Assert.Equal(new HourlyRate(369_533), instance.RateNow);
        Assert.Equal(new Money(3_000), instance.UploadPerGb);
        Assert.Equal(40m, instance.DiskGb);
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_012_400), instance.CreatedAt);
        Assert.Equal(new StartWindow(Asked - TimeSpan.FromSeconds(450.3), At - TimeSpan.FromSeconds(449.7)), instance.RunningSince); // hundredths of a minute, and the answer's own time
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_792_592_000), instance.ContractEnd);
        Assert.Equal([new SshRoute("direct", "203.0.113.42", 41022), new SshRoute("proxy", "ssh7.vast.ai", 10422)], instance.Routes);
    }

    [Theory]
    [InlineData(null, "running", "running", "running", "", ObservedStatus.Provisioning)]
    [InlineData(null, null, null, null, null, ObservedStatus.Provisioning)]
    [InlineData("created", "running", "running", "running", "", ObservedStatus.Provisioning)]
    [InlineData("created", "running", "running", "running", "Error: OCI runtime create failed", ObservedStatus.Failed)]
    [InlineData("loading", "running", "running", "running", "4c7d45f7c63c: Download complete", ObservedStatus.Provisioning)]
    [InlineData("running", "running", "running", "running", "", ObservedStatus.Running)]
    [InlineData("Running ", "running", "stopped", "running", "", ObservedStatus.Running)]
    [InlineData("running", "stopped", "running", "running", "", ObservedStatus.Stopped)]
    [InlineData("running", "running", "stopped", "stopped", "success, running", ObservedStatus.Stopped)]
    [InlineData("exited", "stopped", "stopped", "stopped", "", ObservedStatus.Stopped)]
    [InlineData("exited", "running", "stopped", "running", "", ObservedStatus.WaitingForGpu)]
    [InlineData("exited", "running", "running", "running", "", ObservedStatus.Failed)]
    [InlineData("stopped", "running", "running", "running", "", ObservedStatus.Failed)]
    [InlineData("frozen", "running", "running", "running", "", ObservedStatus.Running)]
    [InlineData("rebooting", "running", "running", "running", "", ObservedStatus.Provisioning)]
    [InlineData("unknown", "running", "running", "running", "", ObservedStatus.Unreachable)]
    [InlineData("offline", "running", "running", "running", "", ObservedStatus.Unreachable)]
    [InlineData("levitating", "running", "running", "running", "", ObservedStatus.Provisioning)]
    public void Four_fields_together_say_what_a_machine_does(string? actual, string? intended, string? current, string? next, string? message, ObservedStatus expected) =>
        Assert.Equal(expected, Read(("actual_status", actual), ("intended_status", intended), ("cur_state", current), ("next_state", next), ("status_msg", message)).Status);

    [Theory]
    [InlineData("loading", "pull access denied for x, repository does not exist", true)]
    [InlineData("created", "OCI runtime create failed: unable to start", true)]
    [InlineData("loading", "4c7d45f7c63c: Pull complete\n", false)]
    [InlineData("running", "error of an earlier start", false)]
    public void A_message_is_fatal_only_before_the_machine_runs(string actual, string message, bool fatal) =>
        Assert.Equal(fatal, Read(("actual_status", actual), ("status_msg", message)).FatalMessage);

    [Fact]
    public void A_machine_without_anything_but_an_id_exists()
    {
        var instance = VastAiInstances.Read(JsonElement.Parse("""{"id":7}""").Deserialize<WireInstance>(VastAiJson.Options)!, Asked, At);

        Assert.Equal(("7", ObservedStatus.Provisioning, HourlyRate.Zero), (instance.ContractId, instance.Status, instance.GpuRate));
        Assert.Empty(instance.Routes);
    }

    [Fact]
    public void Fields_of_unexpected_types_do_not_hide_a_machine()
    {
        var instance = Read(
            ("ports", new JsonArray(41022, 41023)), ("label", 12), ("end_date", "1792592000.0"), ("dph_base", "0.3612"), ("storage_cost", new JsonObject()),
            ("num_gpus", "1"), ("is_bid", 1), ("uptime_mins", new JsonArray()), ("gpu_name", false), ("disk_space", 1e300));

        Assert.Equal("12", instance.Label);
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_792_592_000), instance.ContractEnd);
        Assert.Equal(new HourlyRate(361_200), instance.GpuRate);
        Assert.Equal(new HourlyRate(8_333), instance.DiskRate);
        Assert.Equal(RentalType.Interruptible, instance.Rental);
        Assert.Equal("proxy", Assert.Single(instance.Routes).Name);
        Assert.Null(instance.RunningSince);
    }

    [Fact]
    public void Behind_a_jupyter_proxy_ssh_takes_the_next_port() =>
        Assert.Equal(new SshRoute("proxy", "ssh7.vast.ai", 10423), Read(("ports", null), ("image_runtype", "jupyter_proxy ssh_proxy")).Routes.Single());

    [Theory]
    [InlineData(87, 87)]
    [InlineData(0, 0)]
    [InlineData(-1, null)]
    [InlineData(340, null)]
    public void The_use_of_its_gpus_is_a_percentage_or_unknown(int told, int? use) => Assert.Equal(use, Read(("gpu_util", told)).GpuUse);

    [Fact]
    public void A_machine_that_does_not_run_uses_no_gpu() => Assert.Null(Read(("actual_status", "loading"), ("gpu_util", 40)).GpuUse);

    [Fact]
    public void There_is_no_way_in_before_it_runs() => Assert.Empty(Read(("actual_status", "loading")).Routes);

    private static ObservedInstance Read(params (string, JsonNode?)[] changes) =>
        VastAiInstances.Read(JsonSerializer.Deserialize<WireInstance>(Sample.With(Sample.Instance, changes), VastAiJson.Options)!, Asked, At);
}
