using System.Text.RegularExpressions;

namespace Dashboard.Runner.Tests;

public sealed partial class BootstrapTests : IAsyncDisposable
{
    public const string SomeHostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFWBbc8xPmQ8iO8DgWv4Ylg9DQ6Cwkr0yGKyf4OTNYFJ root@machine\n";

    private readonly RentedMachine _machine = new();

    private string HostKeys => _machine.Environment["GD_HOSTKEYS"];

    public ValueTask DisposeAsync() => _machine.DisposeAsync();

    [Fact]
    public void It_fits_the_providers_field() =>
        Assert.True(File.ReadAllText(Path.Combine(RentedMachine.Scripts, "bootstrap.sh")).Length <= 4_000);

    [Fact]
    public void It_and_the_supervisor_destroy_the_machine_with_the_same_words()
    {
        string Destroy(string file) => DestroyFunction().Match(File.ReadAllText(Path.Combine(RentedMachine.Scripts, file))).Value;

        Assert.Contains("DELETE", Destroy("bootstrap.sh"), StringComparison.Ordinal);
        Assert.Equal(Destroy("supervisor.sh"), Destroy("bootstrap.sh"));
    }

    [GeneratedRegex(@"^destroy\(\) \(\n.*?^\)\n", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex DestroyFunction();

    [Fact]
    public async Task The_fingerprint_lines_equal_what_ssh_keygen_says()
    {
        Directory.CreateDirectory(HostKeys);
        await MakeKeyAsync("ed25519");
        await MakeKeyAsync("ecdsa");

        var (_, output) = await BootAsync();

        var expected = (await _machine.RunAsync($"for k in '{HostKeys}'/*.pub; do ssh-keygen -lf $k; done")).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).Select(part => $"gd-hostkey {part[1]} {part[^1]}");
        Assert.Equal(expected, output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.All(expected, line => Assert.Matches(@"^gd-hostkey SHA256:[A-Za-z0-9+/]{43} \((ED25519|ECDSA)\)$", line));
    }

    [Fact]
    public async Task Keys_that_do_not_exist_yet_are_told_once_they_do()
    {
        var log = Path.Combine(_machine.Home, "container.log");
        _machine.Start($"exec sh '{RentedMachine.Scripts}/bootstrap.sh' >'{log}' 2>&1");
        await _machine.UntilAsync(() => File.Exists(Path.Combine(_machine.Root, "deadman.lock")), "it went on without the keys");

        Directory.CreateDirectory(HostKeys);
        await MakeKeyAsync("ed25519");

        await _machine.UntilAsync(() => File.ReadAllText(log).Contains("(ED25519)", StringComparison.Ordinal), "the fingerprint");
    }

    [Fact]
    public async Task Running_it_twice_changes_nothing_and_starts_nothing_twice()
    {
        Directory.CreateDirectory(HostKeys);
        await MakeKeyAsync("ed25519");
        _machine.Environment["CONTAINER_LABEL"] = "C.4711 with spaces";
        await File.WriteAllTextAsync(_machine.Environment["GD_ENVIRONMENT"], "ALREADY=there\n", TestContext.Current.CancellationToken);
        _machine.Command("echo $$ >>../starts; while :; do sleep 0.05; done");

        await BootAsync();
        var environment = await File.ReadAllTextAsync(_machine.Environment["GD_ENVIRONMENT"], TestContext.Current.CancellationToken);
        await _machine.UntilAsync(() => _machine.Has("starts"), "the unfinished attempt goes on");
        await BootAsync();

        Assert.StartsWith("ALREADY=there\n", environment, StringComparison.Ordinal);
        Assert.Contains("\nCONTAINER_LABEL=C.4711 with spaces\n", environment, StringComparison.Ordinal);
        Assert.Equal(environment, await File.ReadAllTextAsync(_machine.Environment["GD_ENVIRONMENT"], TestContext.Current.CancellationToken));
        Assert.True(File.Exists(Path.Combine(_machine.Home, ".no_auto_tmux")));
        await _machine.UntilAsync(() => _machine.Processes("bootstrap.sh").Length == 1, "one dead man");
        await _machine.UntilAsync(() => _machine.Supervisors().Length == 1, "one supervisor");
        Assert.Single(_machine.Lines("starts"));
    }

    [Fact]
    public async Task Attempts_that_ended_or_were_never_uploaded_whole_are_left_alone()
    {
        _machine.Command("echo $$ >>../starts");
        _machine.Put("exit", "{}");
        Directory.CreateDirectory(Path.Combine(_machine.Root, "half", "bundle"));

        await BootAsync();

        Assert.Empty(_machine.Processes("supervisor.sh"));
        Assert.False(_machine.Has("supervisor.log"));
    }

    private Task<(int Code, string Output)> BootAsync() => _machine.RunAsync($"sh '{RentedMachine.Scripts}/bootstrap.sh'");

    private async Task MakeKeyAsync(string type) => await _machine.RunAsync($"ssh-keygen -q -t {type} -N '' -f '{HostKeys}/ssh_host_{type}_key'");
}
