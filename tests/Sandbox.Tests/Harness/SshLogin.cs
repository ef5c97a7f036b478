using System.Diagnostics;
using System.Text.Json.Nodes;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Dashboard.Sandbox.Tests.Harness;

/// <summary>A key pair of a renter, and logging in with it as clients of the real service do: as root, by key.</summary>
public sealed class SshLogin : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sandbox-key-");

    public SshLogin()
    {
        using var keygen = Process.Start("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "renter", "-f", PrivateKeyPath]);
        keygen.WaitForExit();
    }

    public string PublicKey => File.ReadAllText(PrivateKeyPath + ".pub").Trim();

    private string PrivateKeyPath => Path.Combine(_folder.FullName, "key");

    public static (int Direct, int Proxy) PortsOf(JsonNode instance) =>
        (int.Parse((string)instance["ports"]!["22/tcp"]![0]!["HostPort"]!, System.Globalization.CultureInfo.InvariantCulture), (int)instance["ssh_port"]!);

    /// <summary>Connects when sshd is ready, as a patient client does.</summary>
    public async Task<SshClient> ConnectAsync(int port)
    {
        SshClient? connected = null;
        await Soon.HoldsAsync(
            async () =>
            {
                var client = Client(port);
                try
                {
                    await client.ConnectAsync(TestContext.Current.CancellationToken);
                    connected = client;
                    return true;
                }
                catch (Exception error) when (error is System.Net.Sockets.SocketException or SshException)
                {
                    client.Dispose();
                    return false;
                }
            },
            $"port {port} lets the renter in");
        return connected!;
    }

    public SshClient Client(int port) => new(new ConnectionInfo("127.0.0.1", port, "root", new PrivateKeyAuthenticationMethod("root", new PrivateKeyFile(PrivateKeyPath))));

    /// <summary>Rents with a script, attaches the key and waits until the instance runs.</summary>
    public async Task<(Rented Rented, int Port)> RentAsync(SandboxProcess sandbox, string onStart = "", string extra = "")
    {
        var rented = await sandbox.RentAsync(extra: $",\"onstart\":{System.Text.Json.JsonSerializer.Serialize(onStart)}{extra}");
        await sandbox.PostAsync($"/api/v0/instances/{rented.Id}/ssh/", $$"""{"ssh_key":"{{PublicKey}}"}""");
        await sandbox.RunsAsync(rented.Id);
        return (rented, PortsOf((await sandbox.InstanceAsync(rented.Id))!).Direct);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}

public static class SshClientExtensions
{
    /// <returns>What the command printed, without the last line break; a failure throws with what it said.</returns>
    public static async Task<string> RunAsync(this SshClient client, string command)
    {
        using var run = client.CreateCommand(command);
        await run.ExecuteAsync(TestContext.Current.CancellationToken);
        Assert.True(run.ExitStatus == 0, $"{command} ended with {run.ExitStatus}: {run.Error}");
        return run.Result.TrimEnd('\n');
    }
}
