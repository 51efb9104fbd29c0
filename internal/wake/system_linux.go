package wake

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// classNet is where the kernel describes adapters.
const classNet = "/sys/class/net"

// virtual says that an adapter is a tunnel or a bridge without a physical member: the network of virtual machines or containers.
func virtual(name string) bool { return virtualIn(classNet, name) }

func virtualIn(class, name string) bool {
	dir := filepath.Join(class, name)
	if exists(filepath.Join(dir, "tun_flags")) {
		return true
	}
	if !exists(filepath.Join(dir, "bridge")) {
		return false
	}
	members, err := os.ReadDir(filepath.Join(dir, "brif"))
	if err != nil {
		return true
	}
	for _, m := range members {
		if exists(filepath.Join(class, m.Name(), "device")) {
			return false
		}
	}
	return true
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// wakeMagic is WAKE_MAGIC of linux/ethtool.h.
const wakeMagic = 1 << 5

// wolInfo is struct ethtool_wolinfo of linux/ethtool.h.
type wolInfo struct {
	cmd, supported, options uint32
	password                [6]byte
	_                       [2]byte
}

// permission asks the driver (ETHTOOL_GWOL), and where only root may, the kernel's power management: drivers keep both alike.
func permission(name string) Permission {
	info, err := readWOL(name)
	switch {
	case err == nil && info.options&wakeMagic != 0:
		return Allowed
	case err == nil:
		return Forbidden
	case !errors.Is(err, unix.EPERM):
		return Unknown // the driver does not say
	}
	raw, err := os.ReadFile(filepath.Join(classNet, name, "device", "power", "wakeup"))
	if err != nil {
		return Unknown
	}
	return powerWakeup(string(raw))
}

// powerWakeup reads power/wakeup (Documentation/ABI/testing/sysfs-devices-power of the kernel).
func powerWakeup(text string) Permission {
	switch strings.TrimSpace(text) {
	case "enabled":
		return Allowed
	case "disabled":
		return Forbidden
	}
	return Unknown // the adapter has no such switch
}

func readWOL(name string) (wolInfo, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return wolInfo{}, err
	}
	defer unix.Close(fd)
	info := wolInfo{cmd: unix.ETHTOOL_GWOL}
	request := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte // struct ifreq is longer than this member of its union
	}{data: unsafe.Pointer(&info)}
	if len(name) >= len(request.name) {
		return wolInfo{}, unix.EINVAL
	}
	copy(request.name[:], name)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))) //nolint:gosec // the ioctl takes an address
	runtime.KeepAlive(&info)
	if errno != 0 {
		return wolInfo{}, errno
	}
	return info, nil
}

// bindTo is a net.ListenConfig's Control that sends by one adapter only: the broadcast to 255.255.255.255 has no other route.
// Kernels since 5.7 let everybody do so; on others the directed broadcast still goes the right way.
func bindTo(device string) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		if device == "" {
			return nil
		}
		return c.Control(func(fd uintptr) {
			_ = unix.BindToDevice(int(fd), device) //nolint:gosec // a descriptor is small
		})
	}
}
